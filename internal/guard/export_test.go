package guard

// Permitted lets tests ask for addresses that nobody here can connect to.
var Permitted = permitted
