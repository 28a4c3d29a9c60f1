import { latin1 } from '../core/bytes.ts'
import { fromBase64 } from '../core/encodings.ts'
import { attempt, type Outcome, refuse, take } from '../core/outcome.ts'
import {
  address,
  type BidIdLike,
  type BidRef,
  type IntegerLike,
  idOf,
  type Members,
  malformed,
  membersOf,
  type OrderIdLike,
  type OrderRef,
  oneSpelling,
  ownValue,
  PLAIN,
  readBidId,
  readOrderId,
  unsigned,
  unwrapped,
} from './akash-ids.ts'

/*
 * Objects of the marketplace as they come: JSON of the chain's REST interface and of Console, and objects of its SDKs. The
 * types say what is read; whatever else is there is let be. There is no dependency on a chain SDK.
 */

/** `{ key: 'tee/type', value: 'cpu-gpu' }` */
export interface AttributeLike {
  readonly key: string
  readonly value: string
}

/** Text in JSON, ASCII digits in SDK objects, and base64 of those in the JSON that SDKs make of them. */
export interface ResourceValueLike {
  readonly val: IntegerLike | Uint8Array
}

export interface ResourcesLike {
  readonly gpu?: { readonly units?: ResourceValueLike; readonly attributes?: readonly AttributeLike[] | null } | null
}

export interface BidLike {
  readonly id?: BidIdLike
  readonly state: string | number
  readonly resources_offer?: readonly { readonly resources: ResourcesLike; readonly count: IntegerLike }[]
  readonly resourcesOffer?: readonly { readonly resources: ResourcesLike; readonly count: IntegerLike }[]
}

export interface GroupSpecLike {
  readonly requirements: { readonly attributes?: readonly AttributeLike[] | null }
  readonly resources: readonly { readonly resource: ResourcesLike; readonly count: IntegerLike }[]
}

export interface OrderLike {
  readonly id?: OrderIdLike
  readonly spec: GroupSpecLike
}

export interface ProviderLike {
  readonly owner: string
  readonly attributes: readonly AttributeLike[] | null
}

/**
 * A bid as it is listed: alone, or wrapped as `{ bid }`. Whoever has the order and the provider's attributes at hand puts
 * them beside it; what they advertise is then compared as well.
 */
export type ListedBid =
  | BidLike
  | {
      readonly bid: BidLike
      readonly order?: OrderLike | { readonly order: OrderLike }
      readonly provider?: ProviderLike | { readonly provider: ProviderLike }
    }

export type TeeType = 'cpu' | 'cpu-gpu'

/** GPUs of one resource unit: `units` in each of `count` machines. */
export interface GpuDemand {
  readonly units: number
  readonly count: number
  /** upper case, `H100`; empty where any model will do */
  readonly models: readonly string[]
}

export interface Bid {
  readonly ref: BidRef
  readonly isOpen: boolean
  /** undefined where neither the bid nor its order says what is offered */
  readonly offer: readonly GpuDemand[] | undefined
  /** models that the provider's own attributes boast, upper case */
  readonly advertisedModels: readonly string[]
  /** of the order, else of the provider's attributes; undefined where nobody says */
  readonly teeType: TeeType | undefined
}

export interface Order {
  readonly ref: OrderRef
  readonly teeType: TeeType | undefined
  readonly units: readonly GpuDemand[]
}

/**
 * Reads one bid of a list. Total: whatever comes is a bid or a refusal.
 * @returns GATE_OBJECT_MALFORMED · GATE_SCOPE_MISMATCH (an order or provider of another bid beside it)
 */
export const readBid = (value: unknown): Outcome<Bid> =>
  attempt(() => {
    const outer = membersOf(value, 'bid')
    const inner = unwrapped(outer, 'bid')
    const ref = readBidId(bidIdOf(inner), 'bid.id')
    const isWrapped = inner !== outer
    const outerId = isWrapped ? bidIdOf(outer) : undefined
    if (outerId !== undefined) {
      const { bid } = readBidId(outerId, 'id')
      if (bid !== ref.bid) refuse('GATE_SCOPE_MISMATCH', 'id', { expected: ref.bid, actual: bid })
    }
    const order = isWrapped && Object.hasOwn(outer, 'order') ? take(readOrder(outer.order)) : undefined
    const provider = isWrapped && Object.hasOwn(outer, 'provider') ? readProvider(outer.provider) : NOBODY
    if (order !== undefined && order.ref.order !== ref.order)
      refuse('GATE_SCOPE_MISMATCH', 'order.id', { expected: ref.order, actual: order.ref.order })
    if (provider.owner !== undefined && provider.owner !== ref.provider)
      refuse('GATE_SCOPE_MISMATCH', 'provider.owner', { expected: ref.provider, actual: provider.owner })
    const listed = oneSpelling(
      ['resources_offer', 'resourcesOffer'],
      ownValue(inner, 'resources_offer', inner.resources_offer, PLAIN.resources_offer),
      ownValue(inner, 'resourcesOffer', inner.resourcesOffer, PLAIN.resourcesOffer),
    )
    const offer = listed === undefined || listed === null ? [] : demands(listed, 'bid.resources_offer')
    return {
      ref,
      isOpen: isOpen(ownValue(inner, 'state', inner.state, PLAIN.state)),
      // An offer that names nothing is for what the order asks.
      offer: offer.length > 0 ? offer : order?.units,
      advertisedModels: provider.models,
      teeType: order?.teeType ?? provider.teeType,
    }
  })

const bidIdOf = (object: Members): unknown =>
  oneSpelling(
    ['id', 'bid_id'],
    ownValue(object, 'id', object.id, PLAIN.id),
    ownValue(object, 'bid_id', object.bid_id, PLAIN.bid_id),
    ownValue(object, 'bidId', object.bidId, PLAIN.bidId),
  )

/**
 * Reads an order, alone or as `{ order }`.
 * @returns GATE_OBJECT_MALFORMED on refusal
 */
export const readOrder = (value: unknown): Outcome<Order> =>
  attempt(() => {
    const inner = unwrapped(membersOf(value, 'order'), 'order')
    const ref = readOrderId(idOf(inner, 'order'), 'order.id')
    const spec = membersOf(ownValue(inner, 'spec', inner.spec, PLAIN.spec), 'order.spec')
    const requirements = membersOf(
      ownValue(spec, 'requirements', spec.requirements, PLAIN.requirements),
      'order.spec.requirements',
    )
    const attributes = attributesOf(
      ownValue(requirements, 'attributes', requirements.attributes, PLAIN.attributes),
      'order.attributes',
    )
    const units = demands(ownValue(spec, 'resources', spec.resources, PLAIN.resources), 'order.spec.resources')
    if (units.length === 0) malformed('order.spec.resources', 'at least one resource unit', 'none')
    return { ref, teeType: teeTypeOf(attributes, 'order.attributes'), units }
  })

interface Boast {
  readonly owner: string | undefined
  readonly teeType: TeeType | undefined
  readonly models: readonly string[]
}

const NOBODY: Boast = { owner: undefined, teeType: undefined, models: [] }

function readProvider(value: unknown): Boast {
  const inner = unwrapped(membersOf(value, 'provider'), 'provider')
  const attributes = attributesOf(
    ownValue(inner, 'attributes', inner.attributes, PLAIN.attributes),
    'provider.attributes',
  )
  return {
    owner: address(ownValue(inner, 'owner', inner.owner, PLAIN.owner), 'provider.owner'),
    teeType: teeTypeOf(attributes, 'provider.attributes'),
    models: modelsOf(attributes, ADVERTISED_MODEL),
  }
}

/** Numbers of the SDKs' enumeration: 1 open, 2 active, 3 lost, 4 closed. An active bid has become a lease. */
const STATES: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  ...(['open', 1, 'active', 2] as const).map((state) => [state, true] as const),
  ...(['lost', 3, 'closed', 4] as const).map((state) => [state, false] as const),
])

const isOpen = (state: unknown): boolean =>
  STATES.get(state) ?? malformed('bid.state', 'open, active, lost or closed', state)

/** A group has 20 resource units at most, and a provider some hundred attributes. */
const MOST_UNITS = 256
const MOST_ATTRIBUTES = 2048

/** What each entry is read as, by index and holes included: neither a list's own iterator nor its own `map` is called. */
function listOf<T>(
  value: unknown,
  most: number,
  path: string,
  read: (entry: unknown, path: string) => T,
): readonly T[] {
  if (!Array.isArray(value)) return malformed(path, 'a list', value)
  const { length } = value
  if (length > most) return malformed(path, `at most ${most} entries`, length)
  const entries = new Array<T>(length)
  for (let i = 0; i < length; i++) entries[i] = read(value[i], path)
  return entries
}

const demands = (value: unknown, path: string): readonly GpuDemand[] => listOf(value, MOST_UNITS, path, demand)

function demand(entry: unknown, path: string): GpuDemand {
  const unit = membersOf(entry, path)
  const named = oneSpelling(
    ['resources', 'resource'],
    ownValue(unit, 'resources', unit.resources, PLAIN.resources),
    ownValue(unit, 'resource', unit.resource, PLAIN.resource),
  )
  const resources = membersOf(named, path)
  const count = Number(unsigned(ownValue(unit, 'count', unit.count, PLAIN.count), 'u32', 'resources.count'))
  const gpu = ownValue(resources, 'gpu', resources.gpu, PLAIN.gpu)
  if (gpu === undefined || gpu === null) return { units: 0, count, models: NO_MODELS }
  const offered = membersOf(gpu, path)
  const units = ownValue(offered, 'units', offered.units, PLAIN.units)
  const attributes = ownValue(offered, 'attributes', offered.attributes, PLAIN.attributes)
  return {
    units: units === undefined || units === null ? 0 : quantity(units),
    count,
    models: modelsOf(attributesOf(attributes, 'gpu.attributes'), OFFERED_MODEL),
  }
}

function quantity(value: unknown): number {
  const units = membersOf(value, 'gpu.units')
  const val = ownValue(units, 'val', units.val, PLAIN.val)
  return Number(unsigned(digitsOf(val), 'u32', 'gpu.units.val'))
}

/** SDKs hold the digits as bytes, and print them as base64: that begins with M, N or O, so neither is taken for the other. */
function digitsOf(val: unknown): unknown {
  if (val instanceof Uint8Array) return latin1(val)
  if (typeof val !== 'string' || !(val.charCodeAt(0) >= 0x4d && val.charCodeAt(0) <= 0x4f)) return val
  const bytes = fromBase64(val, 'gpu.units.val')
  return bytes.ok ? latin1(bytes.value) : val
}

/** A key twice is refused: readers would choose differently. */
function attributesOf(value: unknown, path: string): readonly AttributeLike[] {
  if (value === undefined || value === null) return NONE
  const attributes = listOf(value, MOST_ATTRIBUTES, path, attribute)
  if (attributes.length > 1 && new Set(attributes.map(({ key }) => key)).size !== attributes.length)
    return malformed(path, 'every key once', 'a key twice')
  return attributes
}

function attribute(entry: unknown, path: string): AttributeLike {
  const pair = membersOf(entry, path)
  const key = ownValue(pair, 'key', pair.key, PLAIN.key)
  const value = ownValue(pair, 'value', pair.value, PLAIN.value)
  if (typeof key !== 'string' || typeof value !== 'string') return malformed(path, 'key and value', entry)
  return { key, value }
}

const NONE: readonly AttributeLike[] = []
const NO_MODELS: readonly string[] = Object.freeze([])

function teeTypeOf(attributes: readonly AttributeLike[], path: string): TeeType | undefined {
  const type = attributes.find(({ key }) => key === 'tee/type')?.value
  if (type === undefined || type === 'cpu' || type === 'cpu-gpu') return type
  return malformed(`${path}.tee/type`, 'cpu or cpu-gpu', type)
}

/** `vendor/nvidia/model/h100/ram/80Gi/interface/sxm`; the star stands for any. */
const OFFERED_MODEL = /^vendor\/[^/]+\/model\/([^/]+)/
const ADVERTISED_MODEL = /^capabilities\/gpu\/vendor\/[^/]+\/model\/([^/]+)/

function modelsOf(attributes: readonly AttributeLike[], form: RegExp): readonly string[] {
  let models = NO_MODELS
  for (const { key, value } of attributes) {
    const named = value === 'true' ? modelOf(key, form) : NO_MODELS
    const [model] = named
    if (model === undefined || models.includes(model)) continue
    if (model === '*') return NO_MODELS
    models = models.length === 0 ? named : [...models, model]
  }
  return models
}

/** The market has a few hundred such keys, and every bid brings some. */
const MOST_KNOWN_KEYS = 1024
const knownKeys = new Map<RegExp, Map<string, readonly string[]>>([
  [OFFERED_MODEL, new Map()],
  [ADVERTISED_MODEL, new Map()],
])

/** The one model that a key names, as a list that its bids share; none where it names none. */
function modelOf(key: string, form: RegExp): readonly string[] {
  const known = knownKeys.get(form)
  const found = known?.get(key)
  if (found !== undefined) return found
  const model = form.exec(key)?.[1]?.toUpperCase()
  const named = model === undefined ? NO_MODELS : Object.freeze([model])
  if (known !== undefined && known.size < MOST_KNOWN_KEYS && key.length < 128) known.set(key, named)
  return named
}
