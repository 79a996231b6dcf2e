package main

import (
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

Tells what the rules would have found in recorded audit events, one JSON object
a line. Events count at the time of their timestamps. Every line is an event:
one with the ID of another counts as well.

With -format json each finding is a line, printed as it is made:

  {"line":7,"rule":"failed_auth","severity":"HIGH","organizationId":"acme","key":"mallory","count":5,"timestamp":"2026-03-11T10:00:50.000Z"}

line is that of the qualifying event. completedBy is there if that event
qualifies because of a later line with an earlier timestamp. The rule integrity
is an event that fails verification. With -format table there is a row for each
rule, organization and key.

A bad line is reported and passed over. The exit status is 0, 1 if any line was
bad, and 2 if the input or the configuration cannot be used.

Flags:
`

// settings are what the command line asks for.
type settings struct {
	test   detect.BacktestOptions
	byTime bool
	table  bool
	file   string
}

// parse reads the command line. It prints the help that is asked for to out and
// returns [flag.ErrHelp].
func parse(args []string, out io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("replay", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	config := flags.String("config", "", "`file` with thresholds, windows and exceptions in JSON")
	timezone := flags.String("timezone", "", "IANA time `zone` of the off-hours, in place of the configured one")
	cooldown := flags.Duration("cooldown", 0, "leave out findings for so long after one of the same rule, organization and key")
	lateness := flags.Duration("lateness", 10*time.Minute, "count events in their place if they are late by no more")
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
	switch *order {
	case "file":
	case "time":
		s.byTime = true
	default:
		return s, fmt.Errorf("-order: %q is not file or time", *order)
	}
	switch *format {
	case "json":
	case "table":
		s.table = true
	default:
		return s, fmt.Errorf("-format: %q is not json or table", *format)
	}
	if *cooldown < 0 {
		return s, fmt.Errorf("-cooldown: %s is negative", *cooldown)
	}
	s.test.Cooldown = *cooldown
	if *lateness < 0 {
		return s, fmt.Errorf("-lateness: %s is negative", *lateness)
	}
	if s.test.Lateness = *lateness; *lateness == 0 {
		s.test.Lateness = -1
	}
	if err := s.setRules(*config, *timezone); err != nil {
		return s, err
	}
	if err := s.setVerifier(*verify, *secret); err != nil {
		return s, err
	}
	return s, nil
}

// setRules sets the rules that are tested.
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

// setVerifier sets the verifier, if there is to be one.
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

// anyKey verifies with the only key there is, whichever an event names.
type anyKey struct{ checker *crypto.Checker }

func (a anyKey) Verify(ctx context.Context, e *monitor.Event) monitor.Verification {
	unnamed := *e
	unnamed.KeyID = ""
	return a.checker.Verify(ctx, &unnamed)
}
