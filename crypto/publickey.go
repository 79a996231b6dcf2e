package crypto

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

const minRSABits = 2048

// NewPublicKey returns a key that only verifies. The public key must be an
// [ed25519.PublicKey], an [*ecdsa.PublicKey] on P-256 or an [*rsa.PublicKey] of at
// least 2,048 bits, and the algorithm must be one for keys of that type.
func NewPublicKey(id string, algorithm Algorithm, public crypto.PublicKey, opts *KeyOptions) (*Key, error) {
	k, err := newKey(id, algorithm, opts)
	if err != nil {
		return nil, err
	}
	valid, err := publicVerifier(algorithm, public)
	if err != nil {
		return nil, k.errorf("public key: %w", err)
	}
	k.verify = func(_ context.Context, message []byte, signature string) error {
		raw, err := decodeBase64(signature)
		if err != nil || !valid(message, raw) {
			return ErrBadSignature
		}
		return nil
	}
	return k, nil
}

// NewPrivateKey returns a key that signs and verifies with a [crypto.Signer], such
// as a private key in memory, a hardware token or an agent. Its public key must be
// one that [NewPublicKey] accepts.
func NewPrivateKey(id string, algorithm Algorithm, private crypto.Signer, opts *KeyOptions) (*Key, error) {
	if private == nil {
		return nil, fmt.Errorf("crypto: new key %q: private key: missing", id)
	}
	k, err := NewPublicKey(id, algorithm, private.Public(), opts)
	if err != nil {
		return nil, err
	}
	hash, _ := algorithm.hash()
	var options crypto.SignerOpts = hash
	if algorithm.pss() {
		options = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}
	}
	k.sign = func(_ context.Context, message []byte) (string, error) {
		raw, err := crypto.SignMessage(private, rand.Reader, message, options)
		return base64.StdEncoding.EncodeToString(raw), err
	}
	return k, nil
}

// NewCertificateKey returns a key that verifies with the public key of an X.509
// certificate. It only accepts events whose timestamps are in the certificate's
// validity period. The certificate itself is trusted; its issuer is not checked.
// The signer chooses the timestamp, so revoke a stolen key before it expires.
func NewCertificateKey(id string, algorithm Algorithm, certificate *x509.Certificate, opts *KeyOptions) (*Key, error) {
	if certificate == nil {
		return nil, fmt.Errorf("crypto: new key %q: certificate: missing", id)
	}
	k, err := NewPublicKey(id, algorithm, certificate.PublicKey, opts)
	if err != nil {
		return nil, err
	}
	k.notBefore, k.notAfter = certificate.NotBefore, certificate.NotAfter
	return k, nil
}

// KeyFromPEM returns the key in the first block of a PEM text (RFC 7468), which
// must be a PUBLIC KEY, an RSA PUBLIC KEY or a CERTIFICATE. It passes a
// certificate to [NewCertificateKey].
func KeyFromPEM(id string, algorithm Algorithm, text []byte, opts *KeyOptions) (*Key, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("crypto: new key %q: PEM: no block found", id)
	}
	var public crypto.PublicKey
	var err error
	switch block.Type {
	case "CERTIFICATE":
		var certificate *x509.Certificate
		if certificate, err = x509.ParseCertificate(block.Bytes); err == nil {
			return NewCertificateKey(id, algorithm, certificate, opts)
		}
	case "PUBLIC KEY":
		public, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		public, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		err = errors.New("neither a public key nor a certificate")
	}
	if err != nil {
		return nil, fmt.Errorf("crypto: new key %q: PEM: block %.40q: %w", id, block.Type, err)
	}
	return NewPublicKey(id, algorithm, public, opts)
}

// publicVerifier returns the function that tells whether a signature is valid.
func publicVerifier(algorithm Algorithm, public crypto.PublicKey) (func(message, signature []byte) bool, error) {
	switch algorithm {
	case Ed25519:
		if key, ok := public.(ed25519.PublicKey); ok && len(key) == ed25519.PublicKeySize {
			return func(message, signature []byte) bool { return ed25519.Verify(key, message, signature) }, nil
		}
	case ECDSASHA256:
		if key, ok := public.(*ecdsa.PublicKey); ok && key != nil && key.Curve == elliptic.P256() {
			return func(message, signature []byte) bool {
				return ecdsa.VerifyASN1(key, digest(crypto.SHA256, message), signature)
			}, nil
		}
	case RSAPSSSHA256, RSAPSSSHA384, RSAPSSSHA512, RSAPKCS1SHA256, RSAPKCS1SHA384, RSAPKCS1SHA512:
		if key, ok := public.(*rsa.PublicKey); ok && key != nil && key.N != nil {
			return rsaVerifier(algorithm, key)
		}
	}
	return nil, fmt.Errorf("%w: %s does not match a key of type %T", ErrAlgorithm, algorithm, public)
}

func rsaVerifier(algorithm Algorithm, key *rsa.PublicKey) (func(message, signature []byte) bool, error) {
	if bits := key.N.BitLen(); bits < minRSABits {
		return nil, fmt.Errorf("%w: %d of at least %d bits", ErrKeyTooShort, bits, minRSABits)
	}
	hash, _ := algorithm.hash()
	if algorithm.pss() {
		// Emitters differ in the length of the salt, which is no secret and no
		// weakness.
		options := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthAuto}
		return func(message, signature []byte) bool {
			return rsa.VerifyPSS(key, hash, digest(hash, message), signature, options) == nil
		}, nil
	}
	return func(message, signature []byte) bool {
		return rsa.VerifyPKCS1v15(key, hash, digest(hash, message), signature) == nil
	}, nil
}

func digest(hash crypto.Hash, message []byte) []byte {
	h := hash.New()
	h.Write(message)
	return h.Sum(nil)
}

func decodeBase64(text string) ([]byte, error) {
	if strings.ContainsAny(text, "\r\n") { // which the decoder would skip
		return nil, ErrBadSignature
	}
	return base64.StdEncoding.Strict().DecodeString(text)
}
