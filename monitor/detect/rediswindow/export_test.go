package rediswindow

// ScriptHash is what EVALSHA calls the script by.
func ScriptHash() string { return exchangeScript.Hash() }
