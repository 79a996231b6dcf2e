package detect

// describe gives a built-in rule, which it knows by its name, its texts.
func describe(r *Rule) {
	switch r.Name {
	case FailedAuth:
		r.Title = "Repeated failed logins: {subject}"
		r.Description = "{summary}. Somebody may be guessing or trying out passwords."
		r.NextSteps = "Ask the person whether it was them, or, if only an address is known, find out whose it is. " +
			"Look for a successful login after the failed ones: if there is one that nobody can explain, " +
			"end the sessions of the account and change its password. Block the address if it goes on."
		r.References = []string{"https://attack.mitre.org/techniques/T1110/"}
		r.Tags = []string{"attack.t1110", "credential-access"}
		r.Counts = "failed login|failed logins"
	case UnauthorizedAccess:
		r.Title = "Repeated attempts at what is not allowed: {subject}"
		r.Description = "{summary}. Somebody with a valid account is trying to reach what the account has no right to, " +
			"or a program lost a right that it needs."
		r.NextSteps = "Look at what was refused and whether the person needs it for their work. " +
			"If not, ask them; if they know nothing of it, lock the account and look at everything it did today."
		r.References = []string{"https://attack.mitre.org/techniques/T1078/"}
		r.Tags = []string{"attack.t1078", "privilege-escalation"}
		r.Counts = "refused access|refused accesses"
	case DataVelocity:
		r.Title = "Unusually many accesses to data: {subject}"
		r.Description = "{summary}. That is more than a person can read: somebody may be copying data with a program."
		r.NextSteps = "Find out whether a known program, such as a report or a backup, works under this account; " +
			"if so, make it an exception. If not, stop the account, and find out which records it has read."
		r.References = []string{"https://attack.mitre.org/techniques/T1213/"}
		r.Tags = []string{"attack.t1213", "collection"}
		r.Counts = "access to data|accesses to data"
	case BulkOperation:
		r.Title = "Unusually many bulk operations: {subject}"
		r.Description = "{summary}. Exports, imports and other operations on many records at once can carry data away."
		r.NextSteps = "Find out who started the operations, and whether a migration or a report was planned. " +
			"If not, stop them, and find out where the data went."
		r.References = []string{"https://attack.mitre.org/techniques/T1020/"}
		r.Tags = []string{"attack.t1020", "exfiltration"}
		r.Counts = "bulk operation|bulk operations"
	case OffHours:
		r.Title = "Access to data outside working hours: {subject}"
		r.Description = "{summary}. At this time nobody is expected to work: the account may be in other hands."
		r.NextSteps = "Ask the person whether they worked at that time. " +
			"If not, end the sessions of the account, change its password, and look at what was read."
		r.References = []string{"https://attack.mitre.org/techniques/T1078/"}
		r.Tags = []string{"attack.t1078", "initial-access"}
		r.Counts = "access to data outside working hours|accesses to data outside working hours"
	case PasswordSpraying:
		r.Title = "Failed logins to many accounts: {subject}"
		r.Description = "{summary}. One address is trying a few common passwords on many accounts, " +
			"so that no single account is locked."
		r.NextSteps = "Find out whose address it is: behind the gateway of an office or a provider many people can be. " +
			"If it is none that you know, block it. Look for a successful login from it: " +
			"end the sessions of that account and change its password."
		r.References = []string{"https://attack.mitre.org/techniques/T1110/003/"}
		r.Tags = []string{"attack.t1110.003", "credential-access"}
		r.Counts = "account with failed logins|different accounts with failed logins"
	}
}

// described gives the rules their texts.
func described(rules []Rule) []Rule {
	for i := range rules {
		describe(&rules[i])
	}
	return rules
}

// compatible takes away what the alerts of the reference do not have.
func compatible(rules []Rule) []Rule {
	for i := range rules {
		rules[i].Title, rules[i].Tags = "", nil
	}
	return rules
}
