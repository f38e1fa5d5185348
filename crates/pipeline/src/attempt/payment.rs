//! A call that is about to be bought goes in; its price, taken out of its tenant's day, comes out, and is put
//! right when the call is over, however it ends.

use super::admission::parked;
use super::ledger::Ledger;
use crate::{Budget, Call, Expense, Funds, StageError};

/// The code of a job that parks since its tenant may spend no more today.
pub const BUDGET_SPENT: &str = "budget-spent";
/// The code of a job that parks since nobody answers for its tenant's budget.
pub const BUDGET_UNKNOWN: &str = "budget-unknown";

/// What was taken for a call. When it is dropped, the call is booked: what the books hold that was told to nobody
/// yet is what it has cost. Calls side by side may tell for one another; their sum is right.
#[must_use]
pub(super) struct Payment<'ledger> {
    expense: Option<Box<dyn Expense>>,
    ledger: &'ledger Ledger<'ledger>,
}

impl<'ledger> Payment<'ledger> {
    /// Takes what a call costs out of what `tenant` may spend; nothing where nobody limits that.
    pub(super) async fn take(
        budget: &dyn Budget,
        (tenant, ledger): (&str, &'ledger Ledger<'ledger>),
        call: &Call<'_>,
    ) -> Result<Self, StageError> {
        let usd = call.bought.map_or(0.0, |bought| bought.usd);
        let expense = match budget.take(tenant, usd).await {
            Funds::Free => None,
            Funds::Taken(expense) => Some(expense),
            Funds::Spent { again, why } => return Err(parked(call, BUDGET_SPENT, (again, &why))),
            Funds::Unknown { again, why } => {
                return Err(parked(call, BUDGET_UNKNOWN, (again, &why)));
            }
        };
        Ok(Self { expense, ledger })
    }
}

impl Drop for Payment<'_> {
    fn drop(&mut self) {
        if let Some(expense) = self.expense.take() {
            expense.settle(self.ledger.take_booked());
        }
    }
}
