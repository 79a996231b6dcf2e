// Package redisclaim implements claims.Set in Redis. With it, the instances of a
// service tell each other which alerts are open, and ask the store less often about
// alerts that another instance has opened.
//
//	claims, err := redisclaim.New(client, nil)
//	...
//	alerts, err := alerting.NewManager(store, &alerting.ManagerOptions{Claims: claims})
//
// # Guarantees
//
// Claims only save calls to the store. Every occurrence is stored and counted once
// even if Redis is unavailable or has wrong claims. A call takes one round trip and
// returns when its context ends, whatever the timeouts of the client are.
//
// # Redis
//
// It is tested with Redis 7, standalone and Cluster. There is one key per alert,
//
//	<prefix>:alert_cooldown:<organization>:<fingerprint in hex>
//
// whose value is the name of the severity, a space and the ID of the alert,
//
//	HIGH 01980b7e-7cc4-7d2c-8d4c-5a4f4e6e2f11
//
// and which expires. A key with any other value is ignored. The commands are GET, SET
// and DEL of one key each, so that a Cluster may place the keys anywhere. No command
// scans or blocks. The application owns the client. It should set the client's option
// ContextTimeoutEnabled, so that a canceled call releases its connection.
package redisclaim
