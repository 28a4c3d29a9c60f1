import { canonicalJson, isJsonObject, type Json, type JsonObject, parseJson } from '../../core/json.ts'
import type { Outcome } from '../../core/outcome.ts'
import { bidRef, type OrderRef, orderRef } from '../../gate/akash-ids.ts'
import { lintSdl, type SdlLint } from '../../gate/sdl/index.ts'
import { faultText } from '../faults.ts'
import { readText, UsageError } from '../input.ts'

/** What the files hold, each kind in the order of the command line. */
export interface Market {
  /** whatever stood where a bid stands, its order and its provider beside it where they were given */
  readonly bids: readonly Json[]
  readonly leases: readonly Json[]
  readonly documents: readonly Document[]
}

/** An order as its tenant wrote it (SDL), looked through. */
export interface Document extends SdlLint {
  readonly file: string
}

type Kind = 'bid' | 'lease' | 'order' | 'provider'
const KINDS: readonly Kind[] = ['bid', 'lease', 'order', 'provider']
const LISTS: Readonly<Record<string, Kind>> = { bids: 'bid', leases: 'lease', orders: 'order', providers: 'provider' }

/** Members that one kind alone has, for objects that come without the wrapper of the chain's REST interface. */
const MARKS: readonly (readonly [member: string, kind: Kind])[] = [
  ['resources_offer', 'bid'],
  ['resourcesOffer', 'bid'],
  ['closed_on', 'lease'],
  ['closedOn', 'lease'],
  ['spec', 'order'],
  ['attributes', 'provider'],
]

/**
 * Reads files of the marketplace, each told by what it holds: objects alone, in arrays, in the lists of the chain's REST
 * interface or in Console's `data`, or an SDL. What can be taken for none of these is not passed over.
 * @throws UsageError
 */
export async function readMarket(paths: readonly string[]): Promise<Market> {
  const found: Record<Kind, Json[]> = { bid: [], lease: [], order: [], provider: [] }
  const documents: Document[] = []
  for (const path of paths) {
    const text = await readText(path)
    const json = looksLikeSdl(path, text) ? undefined : parseJson(text, '')
    if (json?.ok === false) throw new UsageError(`${path} is not the JSON of a marketplace:\n${faultText(json.faults)}`)
    if (json === undefined || (isJsonObject(json.value) && isJsonObject(json.value.services)))
      documents.push({ file: path, ...(await lintSdl(text)) })
    else sort(json.value, undefined, path, found)
  }
  const orders = byKey(found.order, (order) => keyOf(orderRef(order)))
  const providers = byKey(found.provider, ownerOf)
  return { bids: found.bid.map((bid) => beside(bid, orders, providers)), leases: found.lease, documents }
}

/** Both are UTF-8 text; YAML that begins like JSON has to say by its name that it is none. */
const looksLikeSdl = (path: string, text: string): boolean => /\.ya?ml$/i.test(path) || !/^\s*[[{]/.test(text)

function sort(value: Json, listedAs: Kind | undefined, path: string, found: Record<Kind, Json[]>): void {
  if (Array.isArray(value)) {
    for (const entry of value as readonly Json[]) sort(entry, listedAs, path, found)
    return
  }
  const isList = isJsonObject(value) && listedAs === undefined && !KINDS.some((kind) => isJsonObject(value[kind]))
  const lists = isList ? listsOf(value) : []
  for (const [list, kind] of lists) sort(list, kind, path, found)
  if (lists.length > 0) return
  const kind = listedAs ?? (isJsonObject(value) ? kindOf(value) : undefined)
  if (kind === undefined)
    throw new UsageError(
      `${path} holds something that is no bid, lease, order or provider; one without resources_offer, closed_on, spec or attributes is wrapped, as in { "bid": … }`,
    )
  found[kind].push(value)
}

function listsOf(value: JsonObject): readonly (readonly [Json, Kind | undefined])[] {
  const lists = Object.entries(LISTS).flatMap(([name, kind]) => {
    const list = value[name]
    return Array.isArray(list) ? [[list as Json, kind] as const] : []
  })
  const { data } = value
  return typeof data === 'object' && data !== null ? [...lists, [data, undefined]] : lists
}

function kindOf(value: JsonObject): Kind | undefined {
  return KINDS.find((kind) => isJsonObject(value[kind])) ?? MARKS.find(([name]) => value[name] !== undefined)?.[1]
}

const keyOf = (ref: Outcome<OrderRef>): string => {
  if (ref.ok) return ref.value.order
  throw new UsageError(`an order that cannot be read:\n${faultText(ref.faults)}`)
}

function ownerOf(value: Json): string {
  const wrapped = isJsonObject(value) && isJsonObject(value.provider) ? value.provider : value
  const owner = isJsonObject(wrapped) ? wrapped.owner : undefined
  if (typeof owner === 'string') return owner
  throw new UsageError('a provider without owner cannot be put beside its bids')
}

/** The same thing twice is once; two that differ under one name would let the order of the files decide. */
function byKey(values: readonly Json[], key: (value: Json) => string): ReadonlyMap<string, Json> {
  const found = new Map<string, Json>()
  for (const value of values) {
    const name = key(value)
    const before = found.get(name)
    if (before !== undefined && canonicalJson(before) !== canonicalJson(value))
      throw new UsageError(`${name} is given twice, and differently`)
    found.set(name, value)
  }
  return found
}

/** The bid with what was given of its order and provider; what stands beside it already stays. */
function beside(bid: Json, orders: ReadonlyMap<string, Json>, providers: ReadonlyMap<string, Json>): Json {
  const ref = bidRef(bid)
  if (!ref.ok || !isJsonObject(bid)) return bid
  const [order, provider] = [orders.get(ref.value.order), providers.get(ref.value.provider)]
  const listed = isJsonObject(bid.bid) ? bid : { bid }
  return {
    ...(order === undefined ? {} : { order }),
    ...(provider === undefined ? {} : { provider }),
    ...listed,
  }
}
