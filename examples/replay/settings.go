package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/auditwarden/auditwarden/crypto"
	"github.com/auditwarden/auditwarden/monitor"
	"github.com/auditwarden/auditwarden/monitor/detect"
)

const usage = `Usage: replay [flags] FILE|-

Shows what the rules would have found in recorded audit events, which are read
as one JSON object a line. Events count at the time of their timestamps. Every
line is an event of its own, even if it has the ID of another.

With -format json each finding is printed at once, as a line:

  {"line":7,"rule":"failed_auth","severity":"HIGH","organizationId":"acme","key":"mallory","count":5,"timestamp":"2026-03-11T10:00:50.000Z"}

line is the number of the line of the qualifying event. completedBy is the number
of the later line with an earlier timestamp because of which it qualifies, if
there is one. The rule integrity stands for events that fail verification. With
-format table there is a row for each rule, organization and key.

A bad line is reported and skipped. The exit status is 0, or 1 if any line was
bad, or 2 if the input or the configuration cannot be used.

Flags:
`

// settings are the meaning of a command line.
type settings struct {
	test   detect.BacktestOptions
	byTime bool
	table  bool
	file   string
}

// parse reads a command line. If that asks for help, parse prints it to out and
// returns [flag.ErrHelp].
func parse(args []string, out io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	config := flags.String("config", "", "`file` with thresholds, windows and exceptions in JSON")
	timezone := flags.String("timezone", "", "IANA time `zone` of the off-hours, in place of the configured one")
	flags.DurationVar(&s.test.Cooldown, "cooldown", 0, "leave out findings for so long after one of the same rule, organization and key")
	flags.DurationVar(&s.test.Lateness, "lateness", 10*time.Minute, "count events in their place if they are late by no more")
	order := flags.String("order", "file", "judge events in the order of the file, or of time: reads the whole file first")
	format := flags.String("format", "json", "json or table")
	verify := flags.Bool("verify", false, "verify hashes and HMAC signatures with -secret")
	secret := flags.String("secret", "", "the HMAC secret, whatever key the events name")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(out, usage)
			flags.SetOutput(out)
			flags.PrintDefaults()
		}
		return s, err
	}

	if flags.NArg() != 1 {
		return s, fmt.Errorf("one FILE is needed, and there are %d", flags.NArg())
	}
	s.file = flags.Arg(0)
	if s.byTime = *order == "time"; !s.byTime && *order != "file" {
		return s, fmt.Errorf("-order: %q is not file or time", *order)
	}
	if s.table = *format == "table"; !s.table && *format != "json" {
		return s, fmt.Errorf("-format: %q is not json or table", *format)
	}
	if s.test.Cooldown < 0 {
		return s, fmt.Errorf("-cooldown: %s is negative", s.test.Cooldown)
	}
	if s.test.Lateness < 0 {
		return s, fmt.Errorf("-lateness: %s is negative", s.test.Lateness)
	}
	s.test.Lateness = cmp.Or(s.test.Lateness, -1) // none
	if err := s.setRules(*config, *timezone); err != nil {
		return s, err
	}
	err := s.setVerifier(*verify, *secret)
	return s, err
}

// setRules sets the rules to test.
func (s *settings) setRules(config, timezone string) error {
	s.test.Rules = &detect.Options{}
	if config != "" {
		file, err := os.Open(config)
		if err != nil {
			return fmt.Errorf("-config: %w", err)
		}
		defer file.Close()
		if s.test.Rules, err = detect.ParseConfig(file); err != nil {
			return fmt.Errorf("-config: %w", err)
		}
	}
	if timezone != "" {
		location, err := time.LoadLocation(timezone)
		if err != nil || timezone == "Local" {
			return fmt.Errorf("-timezone: %q is no IANA time zone such as Europe/Vienna", timezone)
		}
		s.test.Rules.Location = location
	}
	return nil
}

// setVerifier sets the verifier, if events are to be verified.
func (s *settings) setVerifier(verify bool, secret string) error {
	switch {
	case !verify && secret != "":
		return errors.New("-secret does nothing without -verify")
	case !verify:
		return nil
	case secret == "":
		return errors.New("-verify needs -secret")
	}
	key, err := crypto.NewHMACKey("secret", []byte(secret), &crypto.KeyOptions{AllowShort: true})
	if err != nil {
		return fmt.Errorf("-secret: %w", err)
	}
	keyring, err := crypto.NewKeyring(key)
	if err != nil {
		return fmt.Errorf("-secret: %w", err)
	}
	s.test.Verifier = anyKey{crypto.NewChecker(keyring, nil)}
	return nil
}

// anyKey verifies with its checker's only key, whichever key an event names.
type anyKey struct{ checker *crypto.Checker }

func (a anyKey) Verify(ctx context.Context, e *monitor.Event) monitor.Verification {
	unnamed := *e
	unnamed.KeyID = ""
	return a.checker.Verify(ctx, &unnamed)
}
