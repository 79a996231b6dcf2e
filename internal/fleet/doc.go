// Package fleet proves that many instances of a service are one: one Redis or
// Cluster, one PostgreSQL, any number of processes that are wired as a host would
// wire them. It consists of tests.
//
// A test is the queue in front of the instances. It signs the events of an attack,
// hands them out in batches, in any order, some of them twice, and hands out again
// what an instance has not acknowledged when it is killed. An instance is the test
// binary, started again: it acknowledges a batch when [alerting.Manager] Flush has
// returned. The test is also the receiver of the notifications.
//
// What must come of it does not depend on who got what when, nor on what broke
// meanwhile: it is what [detect.Backtest] finds in the same events, in order, by
// one engine. There is one open alert for each incident, no more and no less, with
// the number of its qualifying events and the time of the first and the last of
// them; and there is at least one delivery of each notification that is due, and
// none of another.
//
// Two more tests are about the whole: an event that was stored in PostgreSQL and
// read again is as authentic as before, and a service with a wrong configuration
// says so, soon, and without telling a secret.
package fleet
