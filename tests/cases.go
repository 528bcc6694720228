package tests

import "slices"

// Cases returns the suite. Each file of cases adds a list of its own.
func Cases() []Case {
	return slices.Concat(
		lawCases(),
		siblingCases(),
		limitCases(),
		filterCases(),
		orderCases(),
		partitionCases(),
		terminalCases(),
		injectionCases(),
		faultCases(),
		txCases(),
		rowCases(),
		setCases(),
		upsertCases(),
		collectionCases(),
		manyToManyCases(),
		linkWriteCases(),
		throughCases(),
		versionCases(),
		hookCases(),
		listenCases(),
		faultyCases(),
		graphCases(),
		trackedCases(),
		chunkCases(),
		batchCases(),
		rangeCases(),
		serverFaultCases(),
		txEndCases(),
		finderCases(),
		staleCases(),
		softDeleteCases(),
		namedFilterCases(),
		reviewCases(),
		valueCases(),
		nameCases(),
		tableCases(),
		ddlCases(),
		insertCases(),
		encryptedCases(),
		chinookCases(),
	)
}
