package crypto

import "crypto"

// Algorithm is the name of a signature algorithm, as in
// [monitor.Event.SignatureAlgorithm]. The names for ECDSA and RSA are those of AWS
// KMS. A [Checker] fails an event with any other name.
type Algorithm string

// The algorithms. An event contains the signature in hex for HMAC and in standard
// base64 for all others.
const (
	// HMACSHA256 is HMAC with SHA-256 (RFC 2104).
	HMACSHA256 Algorithm = "HMAC-SHA256"
	// Ed25519 is Ed25519 (RFC 8032).
	Ed25519 Algorithm = "ED25519"
	// ECDSASHA256 is ECDSA on P-256 with SHA-256 (FIPS 186-5), in ASN.1 DER.
	ECDSASHA256 Algorithm = "ECDSA_SHA_256"
	// RSAPSSSHA256, RSAPSSSHA384 and RSAPSSSHA512 are RSASSA-PSS (RFC 8017). New
	// signatures have a salt as long as the hash; a salt of any length is accepted.
	RSAPSSSHA256 Algorithm = "RSASSA_PSS_SHA_256"
	RSAPSSSHA384 Algorithm = "RSASSA_PSS_SHA_384"
	RSAPSSSHA512 Algorithm = "RSASSA_PSS_SHA_512"
	// RSAPKCS1SHA256, RSAPKCS1SHA384 and RSAPKCS1SHA512 are RSASSA-PKCS1-v1_5 (RFC
	// 8017).
	RSAPKCS1SHA256 Algorithm = "RSASSA_PKCS1_V1_5_SHA_256"
	RSAPKCS1SHA384 Algorithm = "RSASSA_PKCS1_V1_5_SHA_384"
	RSAPKCS1SHA512 Algorithm = "RSASSA_PKCS1_V1_5_SHA_512"
)

// hash returns the function that hashes the message before it is signed, or 0 for
// HMAC and Ed25519, which need none. It reports false for an unknown algorithm.
func (a Algorithm) hash() (crypto.Hash, bool) {
	switch a {
	case HMACSHA256, Ed25519:
		return 0, true
	case ECDSASHA256, RSAPSSSHA256, RSAPKCS1SHA256:
		return crypto.SHA256, true
	case RSAPSSSHA384, RSAPKCS1SHA384:
		return crypto.SHA384, true
	case RSAPSSSHA512, RSAPKCS1SHA512:
		return crypto.SHA512, true
	default:
		return 0, false
	}
}

func (a Algorithm) pss() bool {
	return a == RSAPSSSHA256 || a == RSAPSSSHA384 || a == RSAPSSSHA512
}
