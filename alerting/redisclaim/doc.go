// Package redisclaim implements claims.Set in Redis: the instances of a service tell
// each other which alerts are open, and need not ask the store about those that
// another one has opened.
//
//	claims, err := redisclaim.New(client, nil)
//	...
//	alerts, err := alerting.NewManager(store, &alerting.ManagerOptions{Claims: claims})
//
// # Guarantees
//
// A claim saves work and decides nothing. Without Redis, or with wrong claims in it,
// every occurrence is stored and counted once all the same. A call is one round trip and ends when its context does, whatever the
// time-outs of the client are.
//
// # Redis
//
// It is tested with Redis 7, standalone and Cluster. There is one key for an alert,
//
//	<prefix>:alert_cooldown:<organization>:<fingerprint in hex>
//
// with the severity's name, a space and the alert's ID as its value,
//
//	HIGH 01980b7e-7cc4-7d2c-8d4c-5a4f4e6e2f11
//
// and an expiry. A key with another value is no claim. The commands are GET, SET
// and DEL of one key each, so that a Cluster may keep the keys where it likes. No
// command scans or blocks. The client belongs to the application. Set its option
// ContextTimeoutEnabled, so that a call that was canceled gives its connection back.
package redisclaim
