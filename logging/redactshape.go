package logging

import "strings"

// A shape is a form by which a secret is recognized without its name: a prefix and
// what follows it.
type shape struct {
	prefix string
	// chars has the characters that follow the prefix, at least min of them.
	chars charset
	min   int
	rule  shapeRule
}

// A shapeRule is a set of rules for a shape.
type shapeRule uint8

const (
	// atStart: the prefix is the start of a word.
	atStart shapeRule = 1 << iota
	// mixed: what follows has letters and digits.
	mixed
	// dotted: what follows has a dot inside.
	dotted
	// afterPrefix: the prefix is no secret.
	afterPrefix
)

// A charset is a set of characters.
type charset uint8

const (
	upperOrDigit charset = 1 << iota
	lower
	underscoreOrDash
	dot
	slash
	plusOrEquals
	colonOrAt
	dollarOrComma

	alnum     = upperOrDigit | lower
	word      = alnum | underscoreOrDash
	base64ish = alnum | underscoreOrDash | slash | plusOrEquals
	pathChars = word | dot | slash | plusOrEquals | colonOrAt
	hashChars = pathChars | dollarOrComma
)

// shapeTable has the shapes of secrets.
var shapeTable = []shape{
	// Tokens in JSON: header, payload and signature, or five parts.
	{"eyJ", word | dot, 12, dotted},

	// Clouds.
	{"AKIA", upperOrDigit, 16, atStart}, // AWS
	{"ASIA", upperOrDigit, 16, atStart},
	{"ABIA", upperOrDigit, 16, atStart},
	{"ACCA", upperOrDigit, 16, atStart},
	{"AIza", word, 30, 0}, // Google
	{"ya29.", word | dot, 16, 0},
	{"GOCSPX-", word, 16, 0},
	{"1//0", word, 24, atStart | mixed},
	{"AccountKey=", base64ish, 16, afterPrefix}, // Azure
	{"SharedAccessSignature sr=", pathChars, 4, 0},
	{"LTAI", alnum, 16, atStart | mixed}, // Alibaba
	{"dop_v1_", alnum, 16, 0},            // DigitalOcean
	{"doo_v1_", alnum, 16, 0},
	{"dor_v1_", alnum, 16, 0},
	{"hvs.", word, 16, atStart}, // Vault
	{"hvb.", word, 16, atStart},
	{"hvr.", word, 16, atStart},
	{".atlasv1.", word, 16, 0}, // Terraform
	{"dapi", alnum, 32, atStart},
	{"pscale_", word | dot, 24, atStart},
	{"sbp_", alnum, 24, atStart},
	{"sb_secret_", word, 8, 0},
	{"tskey-", word, 16, 0},
	{"rnd_", alnum, 24, atStart},

	// Code, packages and continuous integration.
	{"ghp_", word, 16, 0}, // GitHub
	{"gho_", word, 16, 0},
	{"ghu_", word, 16, 0},
	{"ghs_", word, 16, 0},
	{"ghr_", word, 16, 0},
	{"github_pat_", word, 16, 0},
	{"glpat-", word | dot, 16, 0}, // GitLab
	{"gldt-", word, 16, 0},
	{"glrt-", word | dot, 16, 0},
	{"glcbt-", word, 16, 0},
	{"glptt-", word, 16, 0},
	{"glft-", word, 16, 0},
	{"glsoat-", word, 16, 0},
	{"glimt-", word, 16, 0},
	{"glagent-", word, 16, 0},
	{"GR1348941", word, 16, 0},
	{"ATATT3", base64ish, 16, 0}, // Atlassian
	{"ATCTT3", base64ish, 16, 0},
	{"ATBB", alnum, 24, atStart},
	{"npm_", alnum, 20, 0},
	{"pypi-A", word, 16, 0},
	{"rubygems_", alnum, 24, 0},
	{"oy2", alnum, 40, atStart}, // NuGet
	{"dckr_pat_", word, 16, 0},
	{"dckr_oat_", word, 16, 0},
	{"CCIPAT_", word, 16, 0},
	{"bkua_", alnum, 16, 0},
	{"pul-", alnum, 40, atStart},
	{"sgp_", word, 24, atStart},
	{"sqp_", alnum, 32, atStart},
	{"AKCp", alnum, 20, atStart | mixed}, // Artifactory
	{"cmVmdGtu", alnum, 20, atStart},

	// Services.
	{"xoxa-", word, 8, 0}, // Slack
	{"xoxb-", word, 8, 0},
	{"xoxc-", word | dot, 8, 0},
	{"xoxd-", base64ish, 8, 0},
	{"xoxe-", word | dot, 8, 0},
	{"xoxe.xox", word | dot, 8, 0},
	{"xoxo-", word, 8, 0},
	{"xoxp-", word, 8, 0},
	{"xoxr-", word, 8, 0},
	{"xoxs-", word, 8, 0},
	{"xapp-", word, 8, 0},
	{"sk_live_", word, 8, 0}, // Stripe
	{"rk_live_", word, 8, 0},
	{"sk_test_", word, 8, 0},
	{"rk_test_", word, 8, 0},
	{"whsec_", base64ish, 8, 0},
	{"whsk_", base64ish, 8, 0},
	{"SG.", word | dot, 20, atStart | dotted}, // SendGrid
	{"SK", alnum, 32, atStart},                // Twilio
	{"key-", alnum, 32, atStart},              // Mailgun
	{"xkeysib-", word, 16, 0},
	{"shpat_", alnum, 16, 0}, // Shopify
	{"shpca_", alnum, 16, 0},
	{"shppa_", alnum, 16, 0},
	{"shpss_", alnum, 16, 0},
	{"sq0atp-", word, 16, 0}, // Square
	{"sq0csp-", word, 16, 0},
	{"EAAA", word, 56, atStart | mixed},
	{"NRAK-", alnum, 16, 0}, // New Relic
	{"glsa_", word, 16, 0},  // Grafana
	{"glc_", base64ish, 24, 0},
	{"sntrys_", base64ish, 16, 0}, // Sentry
	{"sntryu_", alnum, 16, 0},
	{"lin_api_", alnum, 16, 0},
	{"figd_", word, 16, 0},
	{"ntn_", alnum, 24, atStart | mixed},
	{"secret_", alnum, 40, atStart | mixed},
	{"PMAK-", word, 16, 0},
	{"pat-na1-", word, 16, 0},
	{"pat-eu1-", word, 16, 0},
	{"CFPAT-", word, 16, 0},
	{"rzp_live_", alnum, 10, 0},
	{"shippo_live_", alnum, 16, 0},
	{"EZAK", alnum, 24, atStart | mixed},
	{"phx_", alnum, 24, atStart},
	{"AGE-SECRET-KEY-1", upperOrDigit, 16, 0},
	{"ops_eyJ", base64ish, 16, 0},

	// Models.
	{"sk-", alnum, 20, atStart}, // OpenAI, Anthropic, OpenRouter
	{"sk-proj-", word, 16, atStart},
	{"sk-svcacct-", word, 16, atStart},
	{"sk-admin-", word, 16, atStart},
	{"sk-ant-", word, 16, atStart},
	{"sk-or-v1-", alnum, 16, atStart},
	{"hf_", alnum, 24, atStart},
	{"gsk_", alnum, 20, atStart},
	{"r8_", alnum, 24, atStart},
	{"nvapi-", word, 16, 0},
	{"pplx-", alnum, 20, atStart},
	{"xai-", alnum, 24, atStart},
	{"tvly-", word, 16, atStart},
	{"lsv2_", word, 16, 0},

	// Addresses that accept messages from whoever knows them.
	{"hooks.slack.com/services/", pathChars, 8, afterPrefix},
	{"hooks.slack.com/workflows/", pathChars, 8, afterPrefix},
	{"hooks.slack.com/triggers/", pathChars, 8, afterPrefix},
	{"/api/webhooks/", pathChars, 24, afterPrefix | mixed}, // Discord
	{"/webhookb2/", pathChars, 16, afterPrefix},            // Teams
	{"outlook.office.com/webhook/", pathChars, 8, afterPrefix},
	{"api.telegram.org/bot", word | colonOrAt, 16, afterPrefix},
	{"api.telegram.org/file/bot", word | colonOrAt, 16, afterPrefix},
	{"hooks.zapier.com/hooks/", pathChars, 8, afterPrefix},
	{"maker.ifttt.com/use/", pathChars, 8, afterPrefix},
	{"/with/key/", word, 8, afterPrefix}, // IFTTT
	{"/webhooks/incoming/", pathChars, 16, afterPrefix | mixed},
	{"/bot/v2/hook/", word, 8, afterPrefix}, // Lark
	{"events.pagerduty.com/integration/", word, 8, afterPrefix},
	{"hc-ping.com/", word | slash, 16, afterPrefix},
	{"hook.eu1.make.com/", word, 8, afterPrefix},
	{"hook.us1.make.com/", word, 8, afterPrefix},
	{"/hooks/", word | slash, 24, afterPrefix | mixed}, // Mattermost and Rocket.Chat
	{"/webhook/", word, 24, afterPrefix | mixed},

	// Keys and hashes in encodings.
	{"LS0tLS1CRUdJTiBQUklWQVRF", base64ish, 16, 0}, // -----BEGIN PRIVATE in base64
	{"LS0tLS1CRUdJTiBSU0EgUFJJV", base64ish, 16, 0},
	{"LS0tLS1CRUdJTiBFQyBQUklWQV", base64ish, 16, 0},
	{"LS0tLS1CRUdJTiBPUEVOU1NI", base64ish, 16, 0},
	{"LS0tLS1CRUdJTiBFTkNSWVBURU", base64ish, 16, 0},
	{"LS0tLS1CRUdJTiBQR1AgUFJJVk", base64ish, 16, 0},
	{"TlRMTVNTUAAD", base64ish, 16, 0}, // NTLM

	// Passwords as servers keep them, from which they can be guessed.
	{"$2a$", hashChars, 24, 0},
	{"$2b$", hashChars, 24, 0},
	{"$2y$", hashChars, 24, 0},
	{"$5$", hashChars, 24, 0},
	{"$6$", hashChars, 24, 0},
	{"$y$", hashChars, 24, 0},
	{"$apr1$", hashChars, 16, 0},
	{"$argon2", hashChars, 24, 0},
	{"$scrypt$", hashChars, 24, 0},
	{"pbkdf2_sha256$", hashChars, 24, 0},
	{"SCRAM-SHA-256$", hashChars, 24, 0},
}

// charsets has the sets that a byte belongs to.
var charsets = func() (sets [256]charset) {
	for set, chars := range map[charset]string{
		upperOrDigit: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", lower: "abcdefghijklmnopqrstuvwxyz", underscoreOrDash: "_-",
		dot: ".", slash: "/", plusOrEquals: "+=%", colonOrAt: ":@", dollarOrComma: "$,",
	} {
		for i := range len(chars) {
			sets[chars[i]] = set
		}
	}
	return sets
}()

// shapesByStart has the shapes of the table by their first three bytes. shapeStarts
// has a bit for each of them, at a hash, since hardly any three bytes of a text
// begin a shape.
var shapesByStart, shapeStarts = func() (map[uint32][]*shape, *[1 << 13]byte) {
	shapes, bits := make(map[uint32][]*shape), new([1 << 13]byte)
	for i := range shapeTable {
		s := &shapeTable[i]
		for _, start := range s.starts() {
			shapes[start] = append(shapes[start], s)
			bit := hashOf(start)
			bits[bit>>3] |= 1 << (bit & 7)
		}
	}
	return shapes, bits
}()

// starts returns the first three bytes that the shape may have.
func (s *shape) starts() []uint32 {
	if len(s.prefix) > 2 {
		return []uint32{bytesAt(s.prefix, 0)}
	}
	var starts []uint32
	for c, set := range charsets {
		if set&s.chars != 0 {
			starts = append(starts, bytesAt(s.prefix+string(rune(c)), 0))
		}
	}
	return starts
}

func bytesAt(s string, i int) uint32 {
	return uint32(s[i])<<16 | uint32(s[i+1])<<8 | uint32(s[i+2])
}

// hashOf spreads three bytes over 16 bits.
func hashOf(start uint32) uint16 { return uint16(start * 0x9e3779b1 >> 16) }

// mayBeginShape reports whether a shape may begin at i, where there are at least
// three bytes.
func mayBeginShape(s string, i int) bool {
	bit := hashOf(bytesAt(s, i))
	return shapeStarts[bit>>3]&(1<<(bit&7)) != 0
}

// shapeAt returns where the secret of a shape that begins at i is.
func shapeAt(s string, i int) (start, end int, ok bool) {
	for _, shape := range shapesByStart[bytesAt(s, i)] {
		if strings.HasPrefix(s[i:], shape.prefix) && shape.fits(s, i) {
			start, end = i, i+len(shape.prefix)
			if shape.rule&afterPrefix != 0 {
				start = end
			}
			for end < len(s) && charsets[s[end]]&shape.chars != 0 {
				end++
			}
			for strings.IndexByte(".:,", s[end-1]) >= 0 {
				end--
			}
			return start, end, true
		}
	}
	return 0, 0, false
}

// fits reports whether s has what follows the prefix of the shape, which is at i.
func (s *shape) fits(text string, i int) bool {
	if s.rule&atStart != 0 && !startsWord(text, i) {
		return false
	}
	i += len(s.prefix)
	rest := text[i:min(len(text), i+lookAhead)]
	n := 0
	for n < len(rest) && charsets[rest[n]]&s.chars != 0 {
		n++
	}
	rest = rest[:n]
	return n >= s.min &&
		(s.rule&mixed == 0 || isRandom(rest)) &&
		(s.rule&dotted == 0 || strings.Contains(strings.Trim(rest, "."), "."))
}

// startsWord reports whether a word begins at i, also after an escape such as %20
// and \n.
func startsWord(s string, i int) bool {
	return i == 0 || !isAlnum(s[i-1]) || i >= 2 && s[i-2] == '\\' || i >= 3 && s[i-3] == '%'
}

// isRandom reports whether a text looks as if it was drawn at random: it has
// letters, and several digits or a digit and letters of both cases.
func isRandom(s string) bool {
	digits, upper, lower := 0, 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			digits++
		case isUpper(rune(c)):
			upper++
		case isAlnum(c):
			lower++
		}
	}
	return digits > 2 && upper+lower > 2 || digits > 0 && upper > 0 && lower > 0
}
