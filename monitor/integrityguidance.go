package monitor

func tamperedGuidance() *Guidance {
	return &Guidance{
		Title: "Audit event failed verification: {key}",
		Description: "{summary}. The event was changed after it was signed, was signed with a key that is not known here, " +
			"or was not signed at all. No other rule has judged it, and what it says of itself is only a claim.",
		NextSteps: "Find out which system sent the event, and compare it with the records of that system. " +
			"If only the key is unknown, check the keys of this service. " +
			"If the content was edited, treat what that system has recorded since its last verified event as doubtful.",
		References: []string{"https://attack.mitre.org/techniques/T1565/001/"},
		Counts:     []string{"event that failed verification|events that failed verification"},
	}
}

func replayedGuidance() *Guidance {
	return &Guidance{
		Title: "Audit event was sent again: {subject}",
		Description: "{summary}. A queue delivers an event again within minutes. " +
			"Somebody who sends a recorded event later makes it look as if something had happened again.",
		NextSteps: "Find out who sent the event the second time. If it was an import of old events or a queue " +
			"that was set back, dismiss the alert; otherwise change the credentials by which events are sent.",
		References: []string{"https://attack.mitre.org/techniques/T1565/002/"},
		Counts:     []string{"event that was sent again|events that were sent again"},
	}
}

func conflictingGuidance() *Guidance {
	return &Guidance{
		Title: "Two different audit events have one ID: {subject}",
		Description: "{summary}. Either the sender does not give each event an ID of its own, " +
			"or somebody tries to replace what was recorded.",
		NextSteps: "Compare the two events at their sender. If the sender uses an ID twice, " +
			"for example for a request and its response, have it write different IDs; otherwise find out who sent the second event.",
		References: []string{"https://attack.mitre.org/techniques/T1565/002/"},
		Counts:     []string{"event with the ID of another one|events with the IDs of others"},
	}
}
