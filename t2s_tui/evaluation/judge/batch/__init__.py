"""The Batch API as another route of the judge: same requests, same journal, half the price, in a day."""
