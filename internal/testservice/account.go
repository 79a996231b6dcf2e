package testservice

// An account is a user and a group that a program runs as.
type account struct{ uid, gid int }
