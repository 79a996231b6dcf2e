// Package bench compares a rule of monitor/detect with what people use instead,
// on the same events and in one run:
//
//	go test -bench . -benchmem ./...
//
// The rule is the built-in failed_auth: five failed logins of a principal within
// five minutes. Every event of the stream matches it, and nothing fires until
// the attack that closes each run, so that an engine that counts nothing fails
// instead of looking fast. By the wall clock, which two engines go by, the whole
// stream is an attack; firing costs them nothing. The engines are:
//
//   - auditwarden: the rule in a [detect.Engine], called without a monitor;
//   - x-time-rate: a golang.org/x/time/rate limiter for each principal, in a map
//     behind a mutex, as many services do by hand, told the time of the event;
//   - x-time-rate-now: the same by the wall clock, as it is mostly used;
//   - sigma-go: "count() by" of github.com/bradleyjkemp/sigma-go;
//   - crowdsec: a leaky bucket of github.com/crowdsecurity/crowdsec.
//
// They do not do the same. Only the first counts exactly what lies in the last
// five minutes, sorts in what comes late, keeps tenants apart, is bounded in
// memory and says which events an alert rests on. TestFound shows what each of
// them finds.
//
// CrowdSec needs a C compiler and 285 modules, and a go.work that listed it
// would raise the versions that every other module is tested with. It has a
// module of its own, outside go.work, in which it meets auditwarden again:
//
//	cd crowdsec && GOWORK=off go test -bench . -benchmem ./...
//
// [detect.Engine]: https://pkg.go.dev/github.com/auditwarden/auditwarden/monitor/detect#Engine
package bench
