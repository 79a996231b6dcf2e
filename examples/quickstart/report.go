package main

import (
	"context"
	"fmt"
	"io"

	"github.com/auditwarden/auditwarden/alerting"
	"github.com/auditwarden/auditwarden/metrics"
	"github.com/auditwarden/auditwarden/monitor"
)

// printTo returns a notifier that prints alerts.
func printTo(out io.Writer) alerting.Notifier {
	return alerting.NotifierFunc(func(_ context.Context, n *alerting.Notification) error {
		a := n.Alert
		_, err := fmt.Fprintf(out, "%s  %-8s  %-19s  %s\n",
			a.FirstSeen.Format("15:04:05"), a.Severity, a.Finding.Rule, a.Description)
		return err
	})
}

// summarize prints the metrics and the alerts.
func summarize(ctx context.Context, out io.Writer, alerts *alerting.Manager, counted monitor.Snapshotter) error {
	snapshot, err := counted.Snapshot(ctx)
	if err != nil {
		return err
	}
	r := metrics.NewReport(&snapshot)
	fmt.Fprintf(out, "\n%d events, %d verified, %d failed verification, %d replayed; p95 %s\n",
		r.EventsProcessed, r.IntegrityVerifications.Passed, r.IntegrityViolations,
		snapshot.Value(monitor.EventsReplayed), snapshot.Metrics[monitor.ProcessingLatency].Distribution.Quantile(0.95))
	fmt.Fprintf(out, "%d alerts:\n", r.AlertsGenerated)
	for a, err := range alerts.List(ctx, alerting.Query{Organization: alerting.AllOrganizations}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "  %-8s  %-19s  %-9s  %3d occurrences, %s\n",
			a.Severity, a.Finding.Rule, a.OrganizationID, a.Occurrences, a.Status)
	}
	return nil
}
