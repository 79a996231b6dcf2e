package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/auditwarden/auditwarden/monitor"
)

// A finding is the printed form of a finding.
type finding struct {
	Line           uint64           `json:"line"`
	Rule           string           `json:"rule"`
	Severity       monitor.Severity `json:"severity"`
	OrganizationID string           `json:"organizationId"`
	Key            string           `json:"key"`
	Count          int              `json:"count"`
	Timestamp      string           `json:"timestamp"`
	CompletedBy    uint64           `json:"completedBy,omitempty"`

	at time.Time
}

// An output prints findings.
type output interface {
	print(f finding) error
	// close prints what has to wait for the last finding.
	close() error
}

// jsonLines prints each finding at once, as a line of JSON.
type jsonLines struct{ encoder *json.Encoder }

func newJSONLines(out io.Writer) jsonLines {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	return jsonLines{encoder}
}

func (j jsonLines) print(f finding) error { return j.encoder.Encode(f) }
func (j jsonLines) close() error          { return nil }

// table prints a row for each rule, organization and key at the end.
type table struct {
	out  io.Writer
	rows map[[3]string]*row // by rule, organization and key
}

type row struct {
	first, last finding
	events      int
}

func newTable(out io.Writer) *table { return &table{out: out, rows: map[[3]string]*row{}} }

// print counts a finding in its row. It copies the strings that it keeps, which may
// be parts of a whole line.
func (t *table) print(f finding) error {
	f.OrganizationID = strings.Clone(f.OrganizationID)
	f.Key = strings.Clone(f.Key)
	f.Timestamp = strings.Clone(f.Timestamp)
	about := [3]string{f.Rule, f.OrganizationID, f.Key}
	r := t.rows[about]
	if r == nil {
		r = &row{first: f, last: f}
		t.rows[about] = r
	}
	if f.at.Before(r.first.at) {
		r.first = f
	}
	if f.at.After(r.last.at) {
		r.last = f
	}
	r.events++
	return nil
}

func (t *table) close() error {
	rows := slices.SortedFunc(maps.Values(t.rows), func(a, b *row) int {
		return cmp.Or(
			a.first.at.Compare(b.first.at),
			cmp.Compare(a.first.Rule, b.first.Rule),
			cmp.Compare(a.first.OrganizationID, b.first.OrganizationID),
			cmp.Compare(a.first.Key, b.first.Key),
		)
	})
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "RULE\tORGANIZATION\tKEY\tFIRST\tLAST\tEVENTS")
	for _, r := range rows {
		f := r.first
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\n",
			f.Rule, plain(f.OrganizationID), plain(f.Key), f.Timestamp, r.last.Timestamp, r.events)
	}
	return w.Flush()
}

// plain returns text in a form that is safe to show on a terminal.
func plain(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(text)
	}
	return text
}
