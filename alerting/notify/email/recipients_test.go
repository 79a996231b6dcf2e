package email_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/alerting/alertingtest"
	"github.com/auditwarden/auditwarden/alerting/memalerts"
	"github.com/auditwarden/auditwarden/alerting/notify/email"
	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
	"github.com/auditwarden/auditwarden/monitor"
)

// rcpt is the line that names a recipient, such as ann.
func rcpt(name string) string { return "RCPT TO:<" + name + "@example.com>" }

// A round is one attempt to send to ann, bob and cat: what the server replies, and
// what comes of it.
type round struct {
	replies   map[string]string
	asked     string // recipients that the server is asked for
	delivered bool   // a mail to those who were accepted
	result    string // "": delivered to all; otherwise "retry" or "dead"
	text      string // is in the error
	partial   bool
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	const later, never = "450 4.2.1 later", "550 5.1.1 unknown"
	for name, rounds := range map[string][]round{
		"one is unknown": {
			{map[string]string{rcpt("bob"): never}, "ann bob cat", true, "dead", "left to[], refused to[1]", true},
			{nil, "bob", true, "", "", false}, // redriven
		},
		"one is busy": {
			{map[string]string{rcpt("bob"): later}, "ann bob cat", true, "retry", "left to[1], refused to[]", true},
			{map[string]string{rcpt("bob"): later}, "bob", false, "retry", "left to[1], refused to[]", true},
			{nil, "bob", true, "", "", false},
		},
		"one is busy, and then unknown": {
			{map[string]string{rcpt("cat"): later}, "ann bob cat", true, "retry", "left to[2], refused to[]", true},
			{map[string]string{rcpt("cat"): never}, "cat", false, "dead", "left to[], refused to[2]", true},
		},
		"one is busy, one is unknown": {
			{map[string]string{rcpt("ann"): never, rcpt("bob"): later}, "ann bob cat", true, "retry", "left to[1], refused to[0]", true},
			{map[string]string{rcpt("ann"): never}, "bob", true, "dead", "left to[], refused to[0]", true},
			{nil, "ann", true, "", "", false}, // redriven
		},
		"the only one that is not unknown is busy": {
			{map[string]string{rcpt("ann"): never, rcpt("bob"): later, rcpt("cat"): never}, "ann bob cat", false, "retry", "left to[1], refused to[0,2]", false},
			{nil, "bob", true, "dead", "left to[], refused to[0,2]", true},
		},
		"the server goes away between": {
			{map[string]string{rcpt("ann"): later, rcpt("bob"): later}, "ann bob cat", true, "retry", "left to[0-1], refused to[]", true},
			{map[string]string{"MAIL": "RESET"}, "", false, "retry", "left to[0-1], refused to[]", true},
			{map[string]string{"GREETING": "421 busy"}, "", false, "retry", "left to[0-1], refused to[]", true},
			{map[string]string{rcpt("bob"): "RESET"}, "ann bob", false, "retry", "left to[0-1], refused to[]", true},
			{nil, "ann bob", true, "", "", false},
		},
		"all are busy": {
			{map[string]string{"RCPT": later}, "ann bob cat", false, "retry", "email: send: reply 450", false},
			{nil, "ann bob cat", true, "", "", false},
		},
		"all are unknown": {
			{map[string]string{"RCPT": never}, "ann bob cat", false, "dead", "email: send: reply 550", false},
			{nil, "ann bob cat", true, "", "", false}, // redriven
		},
		"one is busy, and the text is refused": {
			{map[string]string{rcpt("ann"): later, "END": "554 spam"}, "ann bob cat", false, "retry", "left to[0], refused to[1-2]", false},
			{nil, "ann", true, "dead", "left to[], refused to[1-2]", true},
		},
		"the connection breaks after the text": {
			{map[string]string{rcpt("ann"): later, "END": "RESET"}, "ann bob cat", false, "retry", "email: send: connection reset", false},
			{nil, "ann bob cat", true, "", "", false},
		},
		"one is unknown, and the text comes later": {
			{map[string]string{rcpt("ann"): never, "END": "451 later"}, "ann bob cat", false, "retry", "left to[1-2], refused to[0]", false},
			{nil, "bob cat", true, "dead", "left to[], refused to[0]", true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := (&server{}).start(t)
			n := notifytest.Notification()
			n.Attempts = 0
			for i, r := range rounds {
				s.answer(r.replies)
				s.forget()
				n.Attempts++
				// Each attempt is that of another instance.
				err := toThree(t, s).Notify(t.Context(), n)
				commands, mails := s.received()
				var asked []string
				for _, c := range commands {
					if who, ok := strings.CutPrefix(c, "RCPT TO:<"); ok {
						asked = append(asked, strings.TrimSuffix(who, "@example.com>"))
					}
				}
				require.Equal(t, r.asked, strings.Join(asked, " "), "attempt %d", i)
				if _, special := r.replies["END"]; !special {
					require.Equal(t, r.delivered, len(mails) == 1, "attempt %d", i)
				}
				if r.result == "" {
					require.NoError(t, err)
					continue
				}
				var e *alerting.DeliveryError
				require.ErrorAs(t, err, &e)
				require.ErrorContains(t, err, r.text)
				require.Equal(t, r.result == "dead", e.Permanent, err)
				require.Equal(t, r.partial, e.Partial, err)
				require.NotContains(t, err.Error(), "example.com")
				n.Failure = err.Error()
				if e.Permanent {
					n.Attempts = 0 // if it is redriven
				}
			}
		})
	}
}

func toThree(t *testing.T, s *server, others ...string) *email.Notifier {
	t.Helper()
	to := append([]string{"ann@example.com", "Bob <bob@example.com>", "cat@example.com"}, others...)
	n, err := email.New(s.addr, sender, to, &email.Options{Security: email.NoTLS, Transport: notifytest.Loopback(nil)})
	require.NoError(t, err)
	return n
}

// TestRefusedAreNamed: the operator reads who refused and how.
func TestRefusedAreNamed(t *testing.T) {
	t.Parallel()
	s := (&server{replies: map[string]string{
		rcpt("bob"): "550-5.1.1 <bob@example.com> is unknown\r\n550 5.1.1 here", rcpt("cat"): "452 full",
	}}).start(t)
	err := toThree(t, s).Notify(t.Context(), notifytest.Notification())
	require.Regexp(t, `^email: send: left to\[2\], refused to\[1\] \(list [0-9a-f]{8}\): reply 550: 5\.1\.1 … is unknown 5\.1\.1 here$`, err.Error())
	var e *alerting.DeliveryError
	require.ErrorAs(t, err, &e)
	require.Contains(t, e.Detail, "bob@example.com: reply 550: 5.1.1 <bob@example.com> is unknown 5.1.1 here")
	require.Contains(t, e.Detail, "cat@example.com: reply 452: full")
	require.NotContains(t, e.Detail, "ann@example.com")
}

// TestOtherRecipients: what an error said about other recipients says nothing.
func TestOtherRecipients(t *testing.T) {
	t.Parallel()
	s := (&server{replies: map[string]string{rcpt("bob"): "450 later"}}).start(t)
	n := notifytest.Notification()
	failure := toThree(t, s).Notify(t.Context(), n).Error()
	list := failure[strings.Index(failure, "(list"):strings.Index(failure, ")")]
	n.Attempts = 2
	for text, want := range map[string]int{
		failure:                         1,
		"":                              3,
		"email: send: connection reset": 3,
		"reason: " + failure:            3,
		strings.Replace(failure, list, "(list 00000000", 1):                                3,
		strings.Replace(failure, "left to[1]", "left to[3]", 1):                            3,
		strings.Replace(failure, "left to[1]", "left to[2-1]", 1):                          3,
		strings.Replace(failure, "left to[1]", "left to[0-99999999999999999999]", 1):       3,
		strings.Replace(failure, "left to[1]", "left to[,]", 1):                            3,
		strings.Replace(failure, "left to[1]", "left to[1,0]", 1):                          3,
		strings.Replace(failure, "left to[1], refused to[]", "left to[], refused to[]", 1): 3,
	} {
		s.answer(nil)
		s.forget()
		n.Failure = text
		require.NoError(t, toThree(t, s).Notify(t.Context(), n))
		commands, _ := s.received()
		require.Equal(t, want, strings.Count(strings.Join(commands, "\n"), "RCPT"), "failure %q", text)
	}
	n.Failure = failure
	s.forget()
	require.NoError(t, toThree(t, s, "dan@example.com").Notify(t.Context(), n))
	commands, _ := s.received()
	require.Equal(t, 4, strings.Count(strings.Join(commands, "\n"), "RCPT"))
}

// TestManyRecipients: a server takes so many at a time (RFC 5321, 4.5.3.1.10).
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	replies := map[string]string{}
	var to []string
	for i := range 250 {
		to = append(to, fmt.Sprintf("user%d@example.com", i))
		if i >= 100 {
			replies[rcpt(fmt.Sprintf("user%d", i))] = "452 4.5.3 too many recipients"
		}
	}
	s := (&server{replies: replies}).start(t)
	notifier, err := email.New(s.addr, sender, to, &email.Options{Security: email.NoTLS, Transport: notifytest.Loopback(nil)})
	require.NoError(t, err)
	n := notifytest.Notification()
	err = notifier.Notify(t.Context(), n)
	require.ErrorContains(t, err, "left to[100-249], refused to[]")
	s.answer(nil)
	s.forget()
	n.Failure, n.Attempts = err.Error(), 2
	require.NoError(t, notifier.Notify(t.Context(), n))
	commands, mails := s.received()
	require.Len(t, mails, 1)
	require.Equal(t, 150, strings.Count(strings.Join(commands, "\n"), "RCPT"))
}

// TestRetriesAreForTheRest: the store keeps what is left.
func TestRetriesAreForTheRest(t *testing.T) {
	t.Parallel()
	s := (&server{replies: map[string]string{rcpt("bob"): "450 later"}}).start(t)
	synctest.Test(t, func(t *testing.T) {
		destination := alerting.NotifierFunc(func(ctx context.Context, n *alerting.Notification) error {
			if n.Attempts == 5 {
				s.answer(nil)
			}
			return toThree(t, s).Notify(ctx, n) // of another instance
		})
		m, err := alerting.NewManager(memalerts.New(nil), &alerting.ManagerOptions{
			Routes: []alerting.Route{{Name: "mail", Notifier: destination}},
		})
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error)
		go func() { ran <- m.Run(ctx) }()
		_, err = m.StoreOccurrences(ctx, []*monitor.Occurrence{alertingtest.Occurrence("acme", "mallory", "event-1", time.Now())})
		require.NoError(t, err)
		<-time.After(time.Hour)
		cancel()
		<-ran
	})
	commands, mails := s.received()
	require.Len(t, mails, 2)
	text := strings.Join(commands, "\n")
	require.Equal(t, 1, strings.Count(text, rcpt("ann")))
	require.Equal(t, 1, strings.Count(text, rcpt("cat")))
	require.Equal(t, 5, strings.Count(text, rcpt("bob")))
}
