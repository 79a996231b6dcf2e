package detect

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/auditwarden/auditwarden/internal/strictjson"
)

// ParseConfig reads options for the rules of [Defaults] from JSON:
//
//	{
//	  "failedAuthThreshold": 5,            "failedAuthTimeWindow": 300000,
//	  "unauthorizedAccessThreshold": 3,    "unauthorizedAccessTimeWindow": 600000,
//	  "dataAccessVelocityThreshold": 50,   "dataAccessTimeWindow": 60000,
//	  "bulkOperationThreshold": 100,       "bulkOperationTimeWindow": 300000,
//	  "offHoursStart": 22,                 "offHoursEnd": 6,
//	  "timezone": "Europe/Vienna",
//	  "workingDays": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
//	  "holidays": ["2026-12-25"],
//	  "disabledRules": ["bulk_operation"],
//	  "exceptions": {
//	    "principals": ["svc-backup"],
//	    "actions": ["data.export.nightly", "system.*"],
//	    "networks": ["10.0.0.0/8"]
//	  },
//	  "organizations": {"org-1": {"failedAuthThreshold": 10}}
//	}
//
// Windows are in milliseconds, hours are from 0 to 23, and time zones are IANA
// names. An organization has the same fields except for organizations. A field
// that it lacks is as for everybody, and its exceptions are added to those for
// everybody. A field that everybody lacks is as in [Defaults]. The names of fields
// are matched in exact case. Unknown fields, fields that are given twice and values
// that are out of range are errors that name the field.
func ParseConfig(r io.Reader) (*Options, error) {
	var c config
	if err := strictjson.Decode(r, &c); err != nil {
		return nil, fmt.Errorf("detect: parse config: %w", err)
	}
	o, err := c.options()
	if err == nil {
		err = o.validate(o.Rules)
	}
	if err != nil {
		return nil, fmt.Errorf("detect: parse config: %w", err)
	}
	return o, nil
}

// A config is the JSON object of ParseConfig.
type config struct {
	settings
	Organizations map[string]settings `json:"organizations"`
}

// settings can be given for everybody and for an organization.
type settings struct {
	FailedAuthThreshold          *int64   `json:"failedAuthThreshold"`
	FailedAuthTimeWindow         *int64   `json:"failedAuthTimeWindow"`
	UnauthorizedAccessThreshold  *int64   `json:"unauthorizedAccessThreshold"`
	UnauthorizedAccessTimeWindow *int64   `json:"unauthorizedAccessTimeWindow"`
	DataAccessVelocityThreshold  *int64   `json:"dataAccessVelocityThreshold"`
	DataAccessTimeWindow         *int64   `json:"dataAccessTimeWindow"`
	BulkOperationThreshold       *int64   `json:"bulkOperationThreshold"`
	BulkOperationTimeWindow      *int64   `json:"bulkOperationTimeWindow"`
	OffHoursStart                *int64   `json:"offHoursStart"`
	OffHoursEnd                  *int64   `json:"offHoursEnd"`
	Timezone                     *string  `json:"timezone"`
	WorkingDays                  []string `json:"workingDays"`
	Holidays                     []string `json:"holidays"`
	DisabledRules                []string `json:"disabledRules"`
	Exceptions                   struct {
		Principals []string `json:"principals"`
		Actions    []string `json:"actions"`
		Networks   []string `json:"networks"`
	} `json:"exceptions"`
}

// options turns the config into options, or tells everything that is wrong with
// it.
func (c *config) options() (*Options, error) {
	var wrong complaints
	hours := Hours{Start: defaultStart, End: defaultEnd}
	everybody := c.override(hours, wrong.about(""))
	if own := everybody.Rules[OffHours].Hours; own != nil {
		hours = *own
	}
	o := &Options{
		Rules:      []Rule{},
		Location:   everybody.Location,
		Exceptions: everybody.Exceptions,
		Overrides:  map[string]Override{},
	}
	for _, r := range Defaults() {
		if change := everybody.Rules[r.Name]; !change.Disabled {
			o.Rules = append(o.Rules, change.on(r))
		}
	}
	for _, organization := range slices.Sorted(maps.Keys(c.Organizations)) {
		s := c.Organizations[organization]
		own := s.override(hours, wrong.about(fmt.Sprintf("organizations: %q: ", organization)))
		maps.DeleteFunc(own.Rules, func(name string, _ RuleOverride) bool {
			return everybody.Rules[name].Disabled
		})
		o.Overrides[organization] = own
	}
	if wrong != nil {
		return nil, errors.Join(wrong...)
	}
	return o, nil
}

// override returns what the settings change, where the off-hours are otherwise
// these.
func (s *settings) override(hours Hours, bad complaint) Override {
	o := Override{Rules: map[string]RuleOverride{}}
	for _, r := range [...]struct {
		rule, thresholdField, windowField string
		threshold, window                 *int64
	}{
		{FailedAuth, "failedAuthThreshold", "failedAuthTimeWindow", s.FailedAuthThreshold, s.FailedAuthTimeWindow},
		{UnauthorizedAccess, "unauthorizedAccessThreshold", "unauthorizedAccessTimeWindow", s.UnauthorizedAccessThreshold, s.UnauthorizedAccessTimeWindow},
		{DataVelocity, "dataAccessVelocityThreshold", "dataAccessTimeWindow", s.DataAccessVelocityThreshold, s.DataAccessTimeWindow},
		{BulkOperation, "bulkOperationThreshold", "bulkOperationTimeWindow", s.BulkOperationThreshold, s.BulkOperationTimeWindow},
	} {
		change := RuleOverride{
			Threshold: int(between(r.threshold, 1, math.MaxInt32, r.thresholdField, bad)),
			Window:    time.Duration(between(r.window, 1, maxMilliseconds, r.windowField, bad)) * time.Millisecond,
		}
		if change != (RuleOverride{}) {
			o.Rules[r.rule] = change
		}
	}
	if s.OffHoursStart != nil || s.OffHoursEnd != nil || s.WorkingDays != nil || s.Holidays != nil {
		o.Rules[OffHours] = RuleOverride{Hours: s.hours(hours, bad)}
	}
	for _, name := range s.DisabledRules {
		if !slices.ContainsFunc(Defaults(), func(r Rule) bool { return r.Name == name }) {
			bad("disabledRules", "there is no rule %q", name)
		}
		o.Rules[name] = RuleOverride{Disabled: true}
	}
	if s.Timezone != nil {
		o.Location = location(*s.Timezone, bad)
	}
	o.Exceptions = s.exceptions(bad)
	return o
}

// maxMilliseconds is the length of the longest window.
const maxMilliseconds = math.MaxInt64 / int64(time.Millisecond)

// between returns the value, or 0 if there is none.
func between(value *int64, low, high int64, field string, bad complaint) int64 {
	if value == nil {
		return 0
	}
	if *value < low || *value > high {
		bad(field, "%d is not from %d to %d", *value, low, high)
	}
	return *value
}

func (s *settings) hours(h Hours, bad complaint) *Hours {
	if s.OffHoursStart != nil {
		h.Start = int(between(s.OffHoursStart, 0, 23, "offHoursStart", bad))
	}
	if s.OffHoursEnd != nil {
		h.End = int(between(s.OffHoursEnd, 0, 23, "offHoursEnd", bad))
	}
	if s.WorkingDays != nil {
		h.WorkingDays = nil
	}
	for _, name := range s.WorkingDays {
		day := slices.IndexFunc(weekdays[:], func(d time.Weekday) bool { return d.String() == name })
		if day < 0 {
			bad("workingDays", "%q is no day such as \"Monday\"", name)
			continue
		}
		h.WorkingDays = append(h.WorkingDays, weekdays[day])
	}
	if s.Holidays != nil {
		h.Holidays = nil
	}
	for _, text := range s.Holidays {
		date, err := ParseDate(text)
		if err != nil {
			bad("holidays", "%q is not a date such as \"2026-12-25\"", text)
		}
		h.Holidays = append(h.Holidays, date)
	}
	return &h
}

var weekdays = [...]time.Weekday{
	time.Sunday, time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday, time.Saturday,
}

// location returns the time zone. That of the machine is none: what is found
// must not depend on where it is looked for.
func location(name string, bad complaint) *time.Location {
	l, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		bad("timezone", "%q is no IANA time zone such as \"Europe/Vienna\"", name)
		return nil
	}
	return l
}

func (s *settings) exceptions(bad complaint) Exceptions {
	x := Exceptions{Principals: s.Exceptions.Principals, Actions: s.Exceptions.Actions}
	for _, text := range s.Exceptions.Networks {
		n, err := netip.ParsePrefix(text)
		if err != nil {
			bad("exceptions.networks", "%q is no network such as \"10.0.0.0/8\"", text)
		}
		x.Networks = append(x.Networks, n)
	}
	return x
}
