"""Text in ids and labels: found first, if it is in few rows, else looked for on the way."""

from services.runtime.service import Pool
from services.tracking.queries.filters import pattern
from services.tracking.queries.keyset import Scan

FEW = 1_000
SHORT = 3
"""Characters of which no index of trigrams knows anything."""


async def narrow(pool: Pool, scan: Scan, table: str, id: str, text: str | None) -> None:
    """Only rows that have a text: shorter than three characters, at the beginning of their id."""
    if text is None:
        return
    if len(text) < SHORT:
        begin_with(scan, f"t.{id}", text)
        return
    # Not one statement: no plan fits both a word that is in three rows and one that is in all.
    found = await pool.fetch(
        f"SELECT {id} FROM {table} WHERE search LIKE lower($1) LIMIT {FEW + 1}", pattern(text)
    )
    if len(found) <= FEW:
        ids = [row[0] for row in found]
        scan.conditions.append(f"t.{id} = ANY ({scan.bind(ids, 'text[]')})")
    else:
        scan.conditions.append(f"t.search LIKE lower({scan.bind(pattern(text))})")


def begin_with(scan: Scan, key: str, text: str, lowered: bool = False) -> None:
    """Only rows of which the key begins with a text; both sort by their bytes."""
    value = scan.bind(text)
    begin = f'lower({value}) COLLATE "C"' if lowered else value
    # No character sorts after the last one of Unicode.
    scan.conditions.append(f"{key} >= {begin} AND {key} < {begin} || U&'\\+10FFFF'")
