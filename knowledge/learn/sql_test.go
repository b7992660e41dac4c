package learn

import (
	"testing"

	"hotline/internal/testkit"
)

// Every statement is prepared against the real schema.
func TestStatementsFitTheSchema(t *testing.T) {
	t.Parallel()
	testkit.Prepare(t, testkit.DB(t), sqlTurn, sqlNew, sqlPlace, sqlBegin, sqlRecount, sqlKnown, sqlTexts, sqlDecided, sqlNewest, sqlStale, sqlChecked, sqlAnswers, sqlFixed,
		sqlGaps, sqlTrend, sqlGap, sqlLock, sqlCounts, sqlExamples, sqlSetGap, sqlMergeGap, sqlMoveGap, sqlAssignGap, sqlAssignTold, sqlKnownAgency, sqlPair,
		sqlPairs, sqlPairSeen, sqlPairActive, sqlPairDelete, sqlPairLines, sqlArticleLines, sqlPropose, sqlProposals, sqlProposal, sqlProposalLock, sqlProposalSet, sqlGrade,
		sqlTrialPairs, sqlTrialRecent, sqlHasTrials, sqlPublishCheck, sqlWeekQuestions, sqlWeekChats, sqlWeekWrong, sqlWeekOpened, sqlWeekClosed, sqlKeep, sqlSettings, sqlSaveSettings,
		sqlBehind(AllQuestions), sqlBehind(Covered), sqlBehind(Unanswered), sqlBehind(Helpful), sqlBehind(Useless), sqlBehind(HandedOver))
}
