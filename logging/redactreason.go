package logging

import (
	"slices"
	"strings"
)

// A reasonClass is a set of places in the reason of an error where a word stands.
type reasonClass uint8

const (
	// wholeReason: the word may be all of a reason, as in "token: expired".
	wholeReason reasonClass = 1 << iota
	// firstOfReason: the word begins a reason of several words, as in "token: not
	// found".
	firstOfReason
	// reasonPrefix: the word stands before another reason, as in "token: jwt: expired".
	reasonPrefix
)

// reasonTable has the words by which the reason of an error is told from a secret,
// since both may follow the name of a secret and a colon.
var reasonTable = map[reasonClass]string{
	wholeReason: `
		absent accepted bad blank broken canceled cancelled changed closed compromised corrupt corrupted created denied deleted
		deprecated disabled duplicate empty eof exceeded exists expired expires fail failed failure forbidden found illegal incomplete
		incorrect insecure invalid invalidated locked malformed mismatch mismatched missing n/a nil no none nope null ok off on
		optional out-of-range passed pending present refreshed refused rejected removed required reset revoked rotated rotating
		skipped stale succeeded success successful timeout truncated unauthenticated unauthorized unavailable undefined
		unexpected unknown unreadable unrecognized unset unspecified unsupported updated used valid verified weak wrong yes true false`,
	firstOfReason: `
		a about above access accessing account actual additional after again algorithm all allow allowed already also an and another
		any argument array as ask asn1 assertion at attempt attempts audience auth authentication authorization backend base64 be because been
		before begin being below beyond both but by byte bytes call cannot can can't cause certificate challenge change changing
		character check checking checksum cipher claim claims client close closing code command config configuration configured
		conflict connect connecting connection contact contains content context convert converting cookie could couldn't count
		crash create creating credential credentials crypto data database deadline decode decoding decrypt decrypting decryption
		default define delete deleting depth dial did didn't digest directory do does doesn't don't double each either encode encoding encrypt
		encrypting endpoint end entry environment error errors event every exactly exchange exchanging exec executable exhausted exit expect expected
		expiration expiry extra fetch fetching field file files first flag for format from function further generate generating
		generation get getting give given got grant group handler handshake has hash have header hex host http https id identifier if
		ignored in index initialize input integer internal interrupted into io is isn't issuer it item its json just key keys kind
		last lease leaked length less level limit line list listen load loading login look lookup loss lost make making many marshal match matched matching max
		maximum may member message metadata method middleware migration min minimum mode more most multiple must name named
		need needed needs negative neither network never new next no non-empty none nor not nothing now null number object of old older one only
		open opening operation option options or organization other our out output over padding page panic parameter parse parsing part
		parts password path per period permanent permission permissions ping plain please point policy port post pre prefix previous
		private probe problem process prompt property protocol provide provided provider provisioning public put query quota range rate re-run
		read reading ready record redirect refresh refreshing regenerate register registered remote remove renew renewal request requests
		require requires resource response retry retrying role rotate rotation row rule run running salt scan schema scheme scope second secret
		secrets see seems segment send sending sent server service session set setting several shall share short should signature signing
		since size so some something source sql state status still stop store storing stored stream string subject such suffix switch
		system table take template temporary tenant test than that the their them then there these they thing third this those three
		through time times to token tokens too tool total transaction transport tried tries try trying two type types unable
		unauthorised under undo unless unlock unmarshal until up update updating upstream uri url usage use user username users
		using utf-8 utf8 validate validating validation value values variable verification verify verifying version via wait
		waiting want wants warning was we were what when where whether which while who whole why will with within without won't would write
		writing wrong you your zero
		acquire acquiring actually address addresses alert alerts ambiguous answer append applied apply assign authority batch benchmark between block blocks blocked body
		bucket buffer cancel cell chain channel chunk class clock cluster column columns compare compile component compress concurrent connections constraint
		container copy counter cycle date declaration decompress decoder dependency descriptor diff dimension directive dropped dump during elapsed element
		elements empty-string encoder end-of-file enum event events exceeds exceeding exclusive executing executor expression extension filter final finding first-time
		flush foreign found fragment frame full func garbage gateway git global grammar hook import inconsistent insert instance instances instruction insufficient
		interface interval item items iterator job join kernel label labels language latest layer leader left letter library listener location lock log loop
		manifest map mapping marker memory merge migrate minute missed model module monitor move multi multipart namespace nested node nodes
		notification notifications offset one-time operator oracle order overflow owner package packet pair parent partition patch pattern payload peer
		pipeline plan plugin pool position process processing profile program project proof proxy queue quote raw reader receive received receiving reason recipient record
		recursion reference region register release reload remaining render repeat repeats replace replica replication reply report repository reserve resolve resolver
		restart restore restoring result results return returned revision root round route router rows runtime sample sampling save saved saving scanner select
		selector sequence serial serialize session's shard shutdown sign sink skip slice slot slow snapshot socket span specification split stack stage start started starting
		starts statement step storage struct symbol symlink sync syntax tag tags target task template terminal text thread tls trace track trailing transaction's
		transform transition translation tree trigger tuple udp unbalanced underflow union unique unit user's version's view volume watch weird window windows work worker wrapped wrote`,
	reasonPrefix: `
		aes alerting alertmanager amqp argon2 asn1 aws azure base32 base64 bcrypt binary bufio bytes certs claims client config context crypto csv database
		detect dial dns driver ecdsa ecdh ed25519 elliptic email encoding env error errors exec failed fatal file flag fmt fs gcp github gitlab go grpc guard gzip
		hash hex hmac html http http2 io io/fs jose json jwk jwks jws jwt kafka ldap listen logging lookup mail md5 memalerts metrics mime
		mongo monitor mysql net notify ntfy oauth oauth2 oidc open openid os pagerduty panic parse path pbkdf2 pem pgalerts pgx pkcs1 pkcs12 pkcs7 pkcs8 postgres pq
		proto rand read redis rediswindow redisclaim redismetrics reflect regexp request response rpc rsa saml scram scrypt server sha1 sha256 sha512 slack slog smtp sql sqlite
		acme agent amqp091 ansible app application archive asn auth authn authz autocert bindings bitbucket bolt boot broker buildkit bun bundle cache casbin cbor cel cert cgi
		chacha20poly1305 chi cloud cluster cli cobra cognito command connect consul containerd cookie cryptobyte curve25519 daemon debug decode des dgram docker echo ecs
		ent envconfig etcd exporter fcgi fiber flate ftp gateway gif gin gob goose gorm gssapi handler helm hkdf hpke httpclient hub iam imap info init installer jpeg k8s
		kerberos keychain keyring kms knownhosts koanf krb5 kube kubelet lambda lib libpq listener loader logger logrus lzw magic main manager memcache middleware migrate
		mlkem module mongodb mqtt msgpack mssql multipart mux nats nginx node nomad npm ntlm odbc oracle otel otp packet parser password pgconn pgproto3 pgpool pip plugin png
		policy poly1305 pool pop3 process prometheus protocol protojson provider proxy pubsub python query queue rabbitmq rails reader repo resolver router
		runtime s3 sasl scanner scheduler schema secret secretbox secretservice sendgrid serializer server service session sink snappy socket spring sqlx sshd
		ssm stdin stdout storage stripe sts systemd tar template terraform textproto token tokenizer transport twilio user usr validator validation vendor viper worker writer xds xid yaml.v3 zap
		zerolog zlib zstd
		ssh store strconv strings syscall tcp time tls toml unicode url utf8 uuid vault warning webhook webhooks websocket write x509 xml yaml zip`,
}

// reasonWords has the classes of the table by word.
var reasonWords = func() map[string]reasonClass {
	words := make(map[string]reasonClass)
	for class, text := range reasonTable {
		for word := range strings.FieldsSeq(text) {
			words[word] |= class
		}
	}
	return words
}()

// isReason reports whether s, which follows the name of a secret and a colon, is
// the reason of an error: words, after any number of prefixes with colons.
func isReason(s string) bool {
	const longestChain = 12
	for words := range longestChain {
		end := reasonWordEnd(s)
		class, rest := classifyReason(s[:end]), s[end:]
		if class == 0 && (words > 1 || words > 0 && isCamelCase(s[:end])) && startsReason(rest) {
			return true // after several prefixes, or a name in a program
		}
		switch {
		case class&wholeReason != 0 && !strings.HasPrefix(rest, "="):
			return true
		case len(rest) < 2 || strings.HasPrefix(rest[1:], redacted):
			return false
		case class != 0 && rest[0] == ':' && isBlank(rest[1]):
			s = rest[2:]
		case class&firstOfReason == 0 || !isBlank(rest[0]) || beginsMember(rest[1:], "="):
			return false
		default: // the words before another colon are a prefix
			second := rest[1:]
			n := reasonWordEnd(second)
			if n == 0 || !strings.HasPrefix(second[n:], ": ") {
				return true
			}
			s = second[n+len(": "):]
		}
	}
	return false
}

// startsReason reports whether s goes on with a word of a reason.
func startsReason(s string) bool {
	return len(s) > 1 && isBlank(s[0]) && classifyReason(s[1:][:reasonWordEnd(s[1:])]) != 0
}

// reasonWordEnd returns the length of the word at the start of s.
func reasonWordEnd(s string) int {
	for i := range min(len(s), lookAhead) {
		switch c := s[i]; {
		case partOfName(c) || c == '/' || c == '*':
		case (c == '[' || c == ']') && i > 0 && (isDigit(s[i-1]) || i+1 < len(s) && isDigit(s[i+1])): // of a list
		case c == '\'' && i > 0 && i+1 < len(s) && isAlnum(s[i-1]) && isAlnum(s[i+1]):
		default:
			return i
		}
	}
	return min(len(s), lookAhead)
}

// classifyReason returns where a word may stand in a reason.
func classifyReason(word string) reasonClass {
	word, _, _ = strings.Cut(strings.TrimRight(word, "."), "[")
	if strings.HasPrefix(word, "/") {
		return reasonPrefix // a path
	}
	if class := reasonWords[strings.ToLower(word)]; class != 0 {
		return class
	}
	if first, _, ok := strings.Cut(word, "."); ok && reasonWords[first]&reasonPrefix != 0 {
		return reasonPrefix // strconv.ParseInt
	}
	if first, _, ok := strings.Cut(word, "/"); ok && reasonWords[first]&reasonPrefix != 0 {
		return reasonPrefix // crypto/bcrypt
	}
	switch {
	case strings.HasSuffix(word, "Error") || strings.HasSuffix(word, "Exception"):
		return wholeReason
	case len(word) >= len("looping") && onlyLower(word) && hasSuffix(word, "ed", "ing", "able", "ible"):
		return firstOfReason
	case len(word) <= 3 && word != "" && onlyDigits(word):
		return firstOfReason // a status of HTTP, or a count
	default:
		return 0
	}
}

func hasSuffix(s string, suffixes ...string) bool {
	return slices.ContainsFunc(suffixes, func(suffix string) bool { return strings.HasSuffix(s, suffix) })
}

// isCamelCase reports whether a word is a name in a program.
func isCamelCase(word string) bool {
	return strings.IndexFunc(word, isUpper) > 0 && !strings.ContainsFunc(word, func(c rune) bool { return !isLetter(c) })
}

func onlyLower(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < 'a' || c > 'z' })
}

func onlyDigits(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}
