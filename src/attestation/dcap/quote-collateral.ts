import { latin1, utf8 } from '../../core/bytes.ts'
import { isJsonObject, type Json, type JsonObject, parseJson, pointer } from '../../core/json.ts'
import { attempt, type Fault, type Outcome, refuse, take } from '../../core/outcome.ts'
import { type Name, nameText, sameName } from '../../core/x509/names.ts'
import type { IntelDocument } from '../collateral.ts'
import type { IntelFile, NamedDer } from './collateral-files.ts'
import type { DerReader } from './der-reader.ts'
import { dersInText } from './der-text.ts'
import { documentOf, isSignedAnswer, splitAnswer } from './documents.ts'

/** The members of `QuoteCollateralV3`, as most libraries spell them; camelCase is understood as well. */
type Member =
  | 'pck_crl_issuer_chain'
  | 'root_ca_crl'
  | 'pck_crl'
  | 'tcb_info_issuer_chain'
  | 'tcb_info'
  | 'tcb_info_signature'
  | 'qe_identity_issuer_chain'
  | 'qe_identity'
  | 'qe_identity_signature'
  | 'pck_certificate_chain'

const camelCase = (name: Member): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Whether a value is the collateral of one quote: a document or a list under its name, as text. */
export const isQuoteCollateral = (value: Json): boolean =>
  isJsonObject(value) &&
  (['tcb_info', 'qe_identity', 'pck_crl', 'root_ca_crl'] as const).some((name) =>
    [name, camelCase(name)].some((spelling) => typeof value[spelling] === 'string'),
  )

/**
 * Reads `QuoteCollateralV3` as quote libraries write it: documents as text with their signatures beside them or inside,
 * chains in PEM, lists in hexadecimal, base64 or PEM. An answer is read as a whole: where its chain or its signature cannot
 * be read, its document is left out too. Lists are told by their content; one that its own name contradicts is left out.
 * Members of other names are left alone: what they might have been is missing then.
 * @returns what can be read, and the faults of what cannot: JSON_* · UTF8_INVALID · HEX_NOT_CANONICAL · PEM_INVALID ·
 * ENV_BASE64_NOT_CANONICAL · LIMIT_* · COLLATERAL_SUBJECT_MISMATCH
 */
export function readQuoteCollateral(value: Json, name: string, reader: DerReader): IntelFile {
  if (!isJsonObject(value)) throw new TypeError('collateral of a quote is an object')
  const faults: Fault[] = []
  const kept = <T>(outcome: Outcome<T>): readonly T[] => {
    if (outcome.ok) return [outcome.value]
    faults.push(...outcome.faults)
    return []
  }

  const answers = [
    ...kept(attempt(() => answer(value, 'tcb-info', name, reader))),
    ...kept(attempt(() => answer(value, 'qe-identity', name, reader))),
  ]
  const listChain = kept(dersOf(value, 'pck_crl_issuer_chain', name)).flat()
  const chains = [...listChain, ...kept(dersOf(value, 'pck_certificate_chain', name)).flat()]
  const lists = (['root_ca_crl', 'pck_crl'] as const).flatMap((member) =>
    kept(attempt(() => list(take(dersOf(value, member, name)), member, listChain[0], reader))).flat(),
  )
  return {
    documents: answers.flatMap((a) => a.document),
    ders: [...answers.flatMap((a) => a.chain), ...chains, ...lists],
    faults,
  }
}

/** The text of a member, or undefined where it is absent; inside `attempt`. */
function textOf(value: JsonObject, member: Member, name: string): { text: string; path: string } | undefined {
  const spellings = [...new Set([member, camelCase(member)])].filter((spelling) => Object.hasOwn(value, spelling))
  const [spelling, other] = spellings
  if (other !== undefined) return refuse('JSON_DUPLICATE_KEY', pointer(name, other))
  const found = spelling === undefined ? undefined : value[spelling]
  if (spelling === undefined || found === undefined || found === null) return undefined
  const path = pointer(name, spelling)
  return typeof found === 'string' ? { text: found, path } : refuse('JSON_TYPE_MISMATCH', path, { expected: 'string' })
}

const dersOf = (value: JsonObject, member: Member, name: string): Outcome<readonly NamedDer[]> =>
  attempt(() => {
    const found = textOf(value, member, name)
    return found === undefined ? [] : take(dersInText(found.text, found.path))
  })

interface Answer {
  readonly document: readonly IntelDocument[]
  readonly chain: readonly NamedDer[]
}

/** A document, its signature and its chain; inside `attempt`. */
function answer(value: JsonObject, kind: IntelDocument['kind'], name: string, reader: DerReader): Answer {
  const member = kind === 'tcb-info' ? 'tcb_info' : 'qe_identity'
  const found = textOf(value, member, name)
  const chain = take(dersOf(value, `${member}_issuer_chain`, name))
  for (const { der, path } of chain) take(reader.certificate(der, path))
  if (found === undefined || found.text === '') return { document: [], chain }
  const bytes = utf8(found.text.replace(/\0$/, ''))
  const signature = textOf(value, `${member}_signature`, name)
  // Intel's own library hands the answer on as it came, its signature inside.
  const document =
    signature === undefined && isAnswer(bytes)
      ? take(splitAnswer(bytes, found.path))
      : take(documentOf(kind, bytes, signature?.text, found.path))
  if (document.kind !== kind) refuse('JSON_UNKNOWN_KEY', found.path, { expected: kind, actual: document.kind })
  return {
    document: [{ ...document, issuerChain: chain.length === 0 ? undefined : chain.map(({ der }) => der) }],
    chain,
  }
}

function isAnswer(bytes: Uint8Array): boolean {
  const value = parseJson(latin1(bytes), '')
  return value.ok && isSignedAnswer(value.value)
}

/** A list, which must be of the issuer that its name says, where the chain beside it tells who that is; inside `attempt`. */
function list(
  ders: readonly NamedDer[],
  member: 'root_ca_crl' | 'pck_crl',
  issuer: NamedDer | undefined,
  reader: DerReader,
): readonly NamedDer[] {
  const ca = issuer === undefined ? undefined : reader.certificate(issuer.der, issuer.path)
  if (ca?.ok !== true) return ders
  const named: Name = member === 'pck_crl' ? ca.value.subject : ca.value.issuer
  for (const { der, path } of ders) {
    const crl = reader.crl(der, path)
    if (crl.ok && !sameName(crl.value.issuer, named)) {
      refuse('COLLATERAL_SUBJECT_MISMATCH', path, { expected: nameText(named), actual: nameText(crl.value.issuer) })
    }
  }
  return ders
}
