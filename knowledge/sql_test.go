package knowledge

import (
	"testing"

	"hotline/internal/testkit"
)

// Every statement is prepared against the real schema.
func TestStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	conn, err := testkit.DB(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for name, sql := range map[string]string{
		"article": sqlArticle, "article for update": sqlArticleForUpdate, "version": sqlVersion, "versions": sqlVersions,
		"servable": sqlServable, "servable versions": sqlServableVersions, "servable by slug": sqlServableBySlug, "in check": sqlInCheck, "translations": sqlTranslations, "by service": sqlByService,
		"indexable": sqlIndexable, "indexable by ids": sqlIndexableByIDs, "changed since": sqlChangedSince, "servable titles": sqlServableTitles, "insert article": sqlInsertArticle, "update article": sqlUpdateArticle,
		"insert version": sqlInsertVersion, "update draft": sqlUpdateDraft, "set state": sqlSetState, "set live": sqlSetLive,
		"set aside": sqlSetAside, "scheduled due": sqlScheduledDue, "next due": sqlNextDue, "supersede": sqlSupersede, "withdraw": sqlWithdraw, "expire": sqlExpire,
		"insert feedback": sqlInsertFeedback, "count feedback": sqlCountFeedback, "insert correction": sqlInsertCorrection,
		"corrections": sqlCorrections, "same correction": sqlSameCorrection, "correction of": sqlCorrectionOf, "settle": sqlSettle, "firing": sqlFiring, "fired": sqlFired, "running": sqlRunning,
		"insert file": sqlInsertFile, "set files": sqlSetFiles, "files": sqlFiles, "public file": sqlPublicFile, "staff file": sqlStaffFile, "notice files": sqlNoticeFiles, "files due": sqlFilesDue, "give up file": sqlGiveUpFile, "file gone": sqlFileGone, "topics": sqlTopics, "public topics": sqlPublicTopics, "save topic": sqlSaveTopic,
		"topic fits": sqlTopicFits, "move topic": sqlMoveTopic, "remove topic": sqlRemoveTopic, "by topic": sqlByTopic, "told": sqlTold, "told count": sqlToldCount, "told tickets": sqlToldTickets, "owners of": sqlOwnersOf, "agency codes": sqlAgencyCodes, "export": sqlExport, "next look": sqlNextLook, "settings": sqlSettings, "save settings": sqlSaveSettings, "notice": sqlNotice, "notice to": sqlNoticeTo, "raise": sqlRaise, "one looks": sqlOneLooks, "confirm": sqlConfirm, "quiet": sqlQuiet,
		"alerts": sqlAlerts, "counts": sqlCounts, "give key": sqlGiveKey, "set basis": sqlSetBasis, "same key and language": sqlSameKeyLang, "siblings": sqlSiblings, "decide": sqlDecide, "open left": sqlOpenLeft, "accepted": sqlAccepted,
		"synonyms": sqlSynonyms, "list synonyms": sqlListSynonyms, "synonym": sqlSynonym, "insert synonym": sqlInsertSynonym, "update synonym": sqlUpdateSynonym, "remove synonym": sqlRemoveSynonym,
		"topic turns": sqlTopicTurns, "lock imported": sqlLockImported, "latest of": sqlLatestOf, "stock": sqlStock, "covered": sqlCovered, "list": sqlList,
		"engine present": sqlEnginePresent, "engine": sqlEngine, "engine progress": sqlEngineProgress, "engine rebuilt": sqlEngineRebuilt, "engine wanted": sqlEngineWanted,
		"engine well": sqlEngineWell, "engine fails": sqlEngineFails, "outbox": sqlOutbox, "outbox done": sqlOutboxDone, "live": sqlLive,
		"vectors since": sqlVectorsSince, "unembedded": sqlUnembedded, "forget vectors": sqlForgetVectors, "insert vector": sqlInsertVector,
		"assist": sqlAssist, "undo assist": sqlUndoAssist, "dismissed": sqlDismissed, "assist use": sqlAssistUse, "assisted articles": sqlAssistedArticles,
		"calibrations": sqlCalibrations, "calibrated": sqlCalibrated, "wanted": sqlWanted, "trial pairs": sqlTrialPairs,
		"tell": sqlTell, "helped": sqlHelped, "graded": sqlGraded, "votes": sqlVotes, "word": sqlWord,
	} {
		if _, err := conn.Conn().Prepare(t.Context(), "", sql); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
