"""Why a batch, tariff, bill, disclosure or proof is refused, each reason under a name of its own."""

from __future__ import annotations

from ..errors import ToolError

NAMES = {
    # batches
    "BATCH_FORMAT": "a batch is not as firmware/meterhub/codec/billing.py has it",
    "BATCH_NONE": "there is no batch",
    "BATCH_HUB": "a batch is another hub's",
    "BATCH_SIGNATURE": "a batch is not signed by the hub",
    "BATCH_CHAIN": "a batch is of another chain",
    "BATCH_ORDER": "batches are doubled, or not in order",
    "BATCH_MISSING": "a batch is missing",
    "BATCH_LINK": "a batch does not follow from the one before",
    "BATCH_LATE": "a batch says another number of missing intervals before it than the ones before show",
    "POINT": "a commitment is no point of the curve, or at infinity",
    # tariffs
    "TARIFF_FORMAT": "the tariff is not as firmware/meterhub/codec/bill.py has it",
    "TARIFF_SIGNATURE": "the tariff is not signed by the supplier",
    "TARIFF_LATE": "the tariff was signed, or begins, after the period had begun",
    "TARIFF_OTHER": "the hub had another tariff in force",
    "TARIFF_INTERVAL": "the tariff cannot be told from intervals of this length",
    "TARIFF_BANDS": "the tariff has so many prices that a fee would show too much",
    "TARIFF_BAND_TIME": "a price counts for so few intervals that a fee would show them",
    "TARIFF_PRICES": "the prices lie so far apart that a fee would show too much",
    # bills
    "SECOND_BILL": "a second bill over the same time would show what lies between both",
    "OVERLAP": "together with what was given away before, this would show more than either does",
    "BILL_FORMAT": "the bill is not as firmware/meterhub/codec/bill.py has it",
    "BILL_HUB": "the bill is another hub's",
    "BILL_CHAIN": "the bill is of another chain",
    "BILL_PERIOD": "the bill is for another period than the batches, or one at whose ends nothing begins",
    "BILL_TARIFF": "the bill is by another tariff",
    "BILL_BATCHES": "the bill is about other batches",
    "BILL_NONCE": "the bill was made for another verifier, or another time",
    "BILL_FORM": "the bill is of another form than its tariff",
    "BILL_DAYS": "the number of days is wrong",
    "BILL_GAPS": "the number of missing intervals is wrong",
    "BILL_AMOUNT": "an amount does not follow from the exact ones",
    "BILL_TOTALS": "the fee does not follow from the totals of the blocks",
    # proofs
    "PROOF_FORMAT": "the proof is not as firmware/meterhub/codec/bill.py has it",
    "PROOF_OTHER": "the proof is of another bill or disclosure",
    "REGISTERS": "the imported energy is not what the registers say",
    "EXPORT_REGISTERS": "the energy fed in is not what the registers say",
    "UNPRICED": "the energy without a price is another",
    "UNPAID": "the energy fed in without a price is another",
    "INCOME": "what is paid for the energy fed in is another amount",
    "FEE": "the fee is another amount",
    "BLOCK_TOTAL": "the total of a block is another",
    "RANGE": "a value is not proved to lie in its range",
    "PIECE": "a value is not proved to lie on one of the pieces of a price",
    # disclosures
    "DISCLOSURE_FORMAT": "the disclosure is not as firmware/meterhub/codec/bill.py has it",
    "DISCLOSURE_HUB": "the disclosure is another hub's",
    "DISCLOSURE_CHAIN": "the disclosure is of another chain",
    "DISCLOSURE_PERIOD": "the batches do not hold these intervals",
    "DISCLOSURE_BATCHES": "the disclosure is about other batches",
    "DISCLOSURE_NONCE": "the disclosure was made for another verifier, or another time",
    "DISCLOSURE_GAPS": "the number of missing intervals is wrong",
    "DISCLOSURE_GAP": "readings are missing at the ends of what is disclosed, or a meter was exchanged in it",
    "DISCLOSURE_EXPORT": "the hub did not commit to what was fed in",
    "DISCLOSURE": "what is disclosed is not what the hub committed to",
    # the customer's side
    "KEYS_FORMAT": "the day keys are not as firmware/meterhub/codec/billing.py has them",
    "KEYS_OTHER": "the day keys are of another hub, chain or time",
    "READING": "a reading is not what the hub committed to",
    "READING_MISSING": "a reading that the hub committed to is missing",
    "READING_RANGE": "a reading is negative, or more than an interval can have",
    "READING_ABOVE": "a reading is above what is to be proved",
}


class Refused(ToolError):
    """Something is refused: `name`, of NAMES, and where."""

    def __init__(self, name: str, detail: str = "") -> None:
        super().__init__(f"{name}: {NAMES[name]}" + (f" ({detail})" if detail else ""))
        self.name = name
        self.detail = detail
