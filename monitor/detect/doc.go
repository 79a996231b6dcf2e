// Package detect finds suspicious patterns in a stream of audit events, by the
// time of the events and not by the time of their arrival.
//
// An [Engine] is one [monitor.Detector] over any number of rules. Without
// options it has the five patterns of the reference: failed_auth,
// unauthorized_access, data_velocity, bulk_operation and off_hours. A [Rule] is
// the one building block for patterns of a host's own: which events match, how
// they are grouped, and what has to come together within a window of time: a
// number of events, a number of distinct values, or an ordered sequence.
//
// # What qualifies
//
// An event at time t qualifies for a rule with threshold N and window W when
// (t-W, t] holds at least N matching events of its group; events with the same
// timestamp rank by arrival. Every qualifying event is a finding. An event that
// arrives late, but within the allowed lateness, is inserted in its place, and
// the stored events that qualify because of it are reported with it. Below the
// memory caps, which timestamps qualify does not depend on the order of arrival.
// (Distinct values and sequences do depend on how events with the very same
// timestamp rank.)
//
// # Memory
//
// Every rule holds at most [Options.MaxKeys] groups and at most
// [Options.MaxEventsPerKey] events of each. What a cap cuts off is counted
// ([monitor.StateEvictions], [monitor.StateTruncations]) and marked in the
// findings it may concern ([monitor.Finding.AtLeast]). The cap on groups is
// shared fairly: the organization that has more than its share loses the groups
// it has not touched for the longest time. There is no goroutine and no timer.
//
// # Several engines
//
// With [Options.Windows] the engines of several processes have their windows in
// one place and find together what one engine with all the events would. The
// windows are elsewhere, the rules are judged here, by the same code: an engine
// adds its events to a window and learns, at the same moment, what the window
// held before. Every event is one of a window only once if it has an ID; given
// to an engine again, it is reported again, with what may have been missed
// because of it.
package detect
