package email

import (
	netmail "net/mail"
	"slices"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// A refusedError says that a server refused some of the recipients.
type refusedError struct {
	recipients []*netmail.Address
	replies    []error // to each of them
}

func (e *refusedError) Error() string { return e.replies[0].Error() }

func (e *refusedError) Unwrap() error { return e.replies[0] }

// transact sends a mail to the recipients that are left. If some of them do not have
// it then, the error is a [refusedError]. After any other error nobody has it.
func transact(session *smtp.Client, m *mail.Msg, from *netmail.Address, to []*netmail.Address, p *progress) error {
	if err := session.Mail(envelope(from)); err != nil {
		return err
	}
	var (
		accepted, later, gone []int
		refused               refusedError
	)
	refuse := func(err error, recipients ...int) {
		for _, i := range recipients {
			refused.recipients = append(refused.recipients, to[i])
			refused.replies = append(refused.replies, err)
		}
		if replyCode(err)/100 == 5 {
			gone = append(gone, recipients...)
		} else {
			later = append(later, recipients...)
		}
	}
	for _, i := range p.left {
		err := session.Rcpt(envelope(to[i]))
		switch {
		case err == nil:
			accepted = append(accepted, i)
		case !isRefusal(err):
			return err
		default:
			refuse(err, i)
		}
	}
	if len(accepted) > 0 {
		err := data(session, m)
		switch {
		case err == nil:
		case !isRefusal(err), len(accepted) == len(p.left):
			return err
		default:
			refuse(err, accepted...)
		}
	}
	p.left, p.refused = later, append(p.refused, gone...)
	slices.Sort(p.left)
	slices.Sort(p.refused)
	if len(refused.replies) > 0 {
		return &refused
	}
	return nil
}

// data sends the text of a mail.
func data(session *smtp.Client, m *mail.Msg) error {
	w, err := session.Data()
	if err != nil {
		return err
	}
	if _, err := m.WriteTo(w); err != nil {
		return err
	}
	return w.Close()
}

// envelope returns an address without its name.
func envelope(a *netmail.Address) string { return (&netmail.Address{Address: a.Address}).String() }
