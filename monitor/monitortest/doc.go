// Package monitortest helps to test code that uses package monitor or implements
// its ports. It provides a sample event and its signature, recorders for alerts,
// notifications and metrics, a few assertions, and the test suites that every
// implementation of a port must pass.
//
// A test of a service that submits events looks at what came of them after
// [monitor.Monitor.Drain]:
//
//	var told monitortest.Notifications // the Notifier of a route
//	...
//	go m.Run(ctx)
//	call(service)
//	if err := m.Drain(ctx); err != nil {
//		t.Fatal(err)
//	}
//	told.Wait(t, 1)
package monitortest
