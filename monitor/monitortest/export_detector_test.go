package monitortest

import "github.com/auditwarden/auditwarden/monitor"

// FailedDetectorCases returns the names of the cases in which RunDetector finds
// something wrong.
func FailedDetectorCases(newDetector func() monitor.Detector) []string {
	var failed []string
	for _, c := range detectorCases {
		if errs := c.check(detectorCheck{suspiciousEvents, newDetector}); len(errs) > 0 {
			failed = append(failed, c.name)
		}
	}
	return failed
}
