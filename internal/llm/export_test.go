package llm

// Statements are prepared against the real schema.
var Statements = []string{sqlModels, sqlModel, sqlStates, sqlInsertModel, sqlUpdateModel, sqlSwitchModel, sqlRemoveModel, sqlModelOK, sqlModelFailed,
	sqlReserve, sqlBegin, sqlEnd, sqlSettle, sqlLost, sqlOldTexts, sqlCalls, sqlCallsFailed, sqlCallsModel, sqlCallsUse, sqlCall}
