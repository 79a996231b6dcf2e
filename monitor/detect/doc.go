// Package detect finds suspicious patterns in a stream of audit events. It goes
// by the timestamps of the events and not by the time of their arrival.
//
// An [Engine] is one [monitor.Detector] for any number of rules. Without options
// it has the five rules of [Defaults]: failed_auth, unauthorized_access,
// data_velocity, bulk_operation and off_hours. New services use those of [Modern],
// which match better and find password spraying. A [Rule] is the building block for
// patterns of your own. It says which events match, how they are grouped, and
// what has to come together within a window of time: a number of events, a number
// of distinct values, or an ordered sequence.
//
// # Which events qualify
//
// An event at time t qualifies for a rule with threshold N and window W when
// (t-W, t] holds at least N matching events of its group. Events with the same
// timestamp rank by arrival. Every qualifying event is reported as a finding. An
// event that arrives late, but within the allowed lateness, is inserted in its
// place, and events that arrived before it and qualify because of it are reported
// with it. Below the memory caps, the timestamps that qualify do not depend on the
// order of arrival. (For distinct values and sequences they may depend on how
// events with the very same timestamp rank.)
//
// # Memory
//
// A rule holds at most [Options.MaxKeys] groups and at most
// [Options.MaxEventsPerKey] events of each group. What a cap cuts off is counted
// ([monitor.StateEvictions], [monitor.StateTruncations]) and marked in the
// findings that it may concern ([monitor.Finding.AtLeast]). Organizations share
// the groups of a rule fairly: an organization that has more than its share loses
// the groups that it has not touched for the longest time. The engine starts no
// goroutine and no timer.
//
// # Several engines
//
// With [Options.Windows], the engines of several processes keep their windows in
// one place and find together what one engine would find with all the events. The
// rules are still judged here, by the same code: an engine adds its events to a
// window and learns, at the same moment, what the window held before. An event
// with an ID is in a window only once. When it is given to an engine again, the
// engine reports it again, together with what may have been missed because of it.
package detect
