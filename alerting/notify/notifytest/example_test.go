package notifytest_test

import (
	"fmt"

	"github.com/auditwarden/auditwarden/alerting/notify/notifytest"
)

func ExampleNotification() {
	n := notifytest.Notification()
	fmt.Println(n.Reason, n.Alert.Severity, n.Alert.Title)
	// Output: opened HIGH Suspicious Pattern Detected: FAILED_AUTH
}
