// Package testservice gives each test servers of its own: Redis, a Redis Cluster,
// PostgreSQL, PgBouncer and a mail server. It starts the programs that are installed on the
// machine, on free ports of the loopback interface and in temporary folders, and
// stops them when the test ends. It also has the clients that tests connect with.
//
// A test can kill its server, start it again with the data it had, and pause it as
// if the machine hung. If a program is missing, the test is skipped with a message
// that says what to install, or fails if AUDITWARDEN_REQUIRE_SERVERS is 1.
//
// Every function fails the test when something goes wrong, and so must be called
// from the test's goroutine.
package testservice
