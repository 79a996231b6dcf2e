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
		absent accepted bad blank broken canceled cancelled changed closed compromised corrupt corrupted created deleted
		denied deprecated disabled duplicate empty eof exceeded exists expired expires fail failed failure false forbidden
		found illegal incomplete incorrect insecure invalid invalidated locked malformed mismatch mismatched missing n/a nil
		no none nope null off ok on optional out-of-range passed pending present refreshed refused rejected removed required
		reset revoked rotated rotating skipped stale succeeded success successful timeout true truncated unauthenticated
		unauthorized unavailable undefined unexpected unknown unreadable unrecognized unset unspecified unsupported updated
		used valid verified weak wrong yes`,
	firstOfReason: `
		a about above access accessing account acquire acquiring actual actually additional address addresses after again
		alert alerts algorithm all allow allowed already also ambiguous an and another answer any append applied apply
		argument array as ask asn1 assertion assign at attempt attempts audience auth authentication authority authorization
		backend base64 batch be because been before begin being below benchmark between beyond block blocked blocks body both
		bucket buffer but by byte bytes call can can't cancel cannot cause cell certificate chain challenge change changing
		channel character check checking checksum chunk cipher claim claims class client clock close closing cluster code
		column columns command compare compile component compress concurrent config configuration configured conflict connect
		connecting connection connections constraint contact container contains content context convert converting cookie copy
		could couldn't count counter crash create creating credential credentials crypto cycle data database date deadline
		declaration decode decoder decoding decompress decrypt decrypting decryption default define delete deleting dependency
		depth descriptor dial did didn't diff digest dimension directive directory do does doesn't don't double dropped dump
		during each either elapsed element elements empty-string encode encoder encoding encrypt encrypting end end-of-file
		endpoint entry enum environment error errors event events every exactly exceeding exceeds exchange exchanging
		exclusive exec executable executing executor exhausted exit expect expected expiration expiry expression extension
		extra fetch fetching field file files filter final finding first first-time flag flush for foreign format found
		fragment frame from full func function further garbage gateway generate generating generation get getting git give
		given global got grammar grant group handler handshake has hash have header hex hook host http https id identifier if
		ignored import in inconsistent index initialize input insert instance instances instruction insufficient integer
		interface internal interrupted interval into io is isn't issuer it item items iterator its job join json just kernel
		key keys kind label labels language last latest layer leader leaked lease left length less letter level library limit
		line list listen listener load loading location lock log login look lookup loop loss lost make making manifest many
		map mapping marker marshal match matched matching max maximum may member memory merge message metadata method
		middleware migrate migration min minimum minute missed mode model module monitor more most move multi multipart
		multiple must name named namespace need needed needs negative neither nested network never new next no node nodes
		non-empty none nor not nothing notification notifications now null number object of offset old older one one-time only
		open opening operation operator option options or oracle order organization other our out output over overflow owner
		package packet padding page pair panic parameter parent parse parsing part partition parts password patch path pattern
		payload peer per period permanent permission permissions ping pipeline plain plan please plugin point policy pool port
		position post pre prefix previous private probe problem process processing profile program project prompt proof
		property protocol provide provided provider provisioning proxy public put query queue quota quote range rate raw
		re-run read reader reading ready reason receive received receiving recipient record recursion redirect reference
		refresh refreshing regenerate region register registered release reload remaining remote remove render renew renewal
		repeat repeats replace replica replication reply report repository request requests require requires reserve resolve
		resolver resource response restart restore restoring result results retry retrying return returned revision role root
		rotate rotation round route router row rows rule run running runtime salt sample sampling save saved saving scan
		scanner schema scheme scope second secret secrets see seems segment select selector send sending sent sequence serial
		serialize server service session session's set setting several shall shard share short should shutdown sign signature
		signing since sink size skip slice slot slow snapshot so socket some something source span specification split sql
		stack stage start started starting starts state statement status step still stop storage store stored storing stream
		string struct subject such suffix switch symbol symlink sync syntax system table tag tags take target task template
		temporary tenant terminal test text than that the their them then there these they thing third this those thread three
		through time times tls to token tokens too tool total trace track trailing transaction transaction's transform
		transition translation transport tree tried tries trigger try trying tuple two type types udp unable unauthorised
		unbalanced under underflow undo union unique unit unless unlock unmarshal until up update updating upstream uri url
		usage use user user's username users using utf-8 utf8 validate validating validation value values variable
		verification verify verifying version version's via view volume wait waiting want wants warning was watch we weird
		were what when where whether which while who whole why will window windows with within without won't work worker would
		wrapped write writing wrong wrote you your zero`,
	reasonPrefix: `
		acme aes agent alerting alertmanager amqp amqp091 ansible app application archive argon2 asn asn1 auth authn authz
		autocert aws azure base32 base64 bcrypt binary bindings bitbucket bolt boot broker bufio buildkit bun bundle bytes
		cache casbin cbor cel cert certs cgi chacha20poly1305 chi claims cli client cloud cluster cobra cognito command config
		connect consul containerd context cookie crypto cryptobyte csv curve25519 daemon database debug decode des detect
		dgram dial dns docker driver ecdh ecdsa echo ecs ed25519 elliptic email encoding ent env envconfig error errors etcd
		exec exporter failed fatal fcgi fiber file flag flate fmt fs ftp gateway gcp gif gin github gitlab go gob goose gorm
		grpc gssapi guard gzip handler hash helm hex hkdf hmac hpke html http http2 httpclient hub iam imap info init
		installer io io/fs jose jpeg json jwk jwks jws jwt k8s kafka kerberos keychain keyring kms knownhosts koanf krb5 kube
		kubelet lambda ldap lib libpq listen listener loader logger logging logrus lookup lzw magic mail main manager md5
		memalerts memcache metrics middleware migrate mime mlkem module mongo mongodb monitor mqtt msgpack mssql multipart mux
		mysql nats net nginx node nomad notify npm ntfy ntlm oauth oauth2 odbc oidc open openid oracle os otel otp packet
		pagerduty panic parse parser password path pbkdf2 pem pgalerts pgconn pgpool pgproto3 pgx pip pkcs1 pkcs12 pkcs7 pkcs8
		plugin png policy poly1305 pool pop3 postgres pq process prometheus proto protocol protojson provider proxy pubsub
		python query queue rabbitmq rails rand read reader redis redisclaim redismetrics rediswindow reflect regexp repo
		request resolver response router rpc rsa runtime s3 saml sasl scanner scheduler schema scram scrypt secret secretbox
		secretservice sendgrid serializer server service session sha1 sha256 sha512 sink slack slog smtp snappy socket spring
		sql sqlite sqlx ssh sshd ssm stdin stdout storage store strconv strings stripe sts syscall systemd tar tcp template
		terraform textproto time tls token tokenizer toml transport twilio unicode url user usr utf8 uuid validation validator
		vault vendor viper warning webhook webhooks websocket worker write writer x509 xds xid xml yaml yaml.v3 zap zerolog
		zip zlib zstd`,
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
