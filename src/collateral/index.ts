/*
 * Collateral from its vendors: an entry of its own, since the library touches no network. What is fetched is proved on every
 * use like any other input.
 */
export type { CachedAnswer, ClockReadings, CollateralCache } from './cache/cache.ts'
export { type CachedFetch, type CacheRules, cachedFetch, heldOnly } from './cache/fetch.ts'
export { openCollateralCache } from './cache/open.ts'
export { readClock, rememberUsed, scopeOf } from './cache/remember.ts'
export { type ClientPorts, createVendorClient, NODE_CLIENT_PORTS, type VendorClientOptions } from './client.ts'
export {
  type Exchange,
  type ExchangeOptions,
  type HttpAnswer,
  type HttpFailure,
  type HttpQuestion,
  networkExchange,
} from './exchange.ts'
export type { HostManners, MannersPorts, Patience } from './manners.ts'
export {
  type IntelUpdate,
  type Need,
  type NeedFault,
  type Needs,
  type NeedsContext,
  needsAfter,
  needsOf,
  requestsIn,
  type Together,
} from './needs/index.ts'
export { objectName } from './object-name.ts'
export type { CollateralRequest, FetchedObject, FetchObject } from './objects.ts'
export {
  answersIn,
  type CollateralPack,
  decodePack,
  encodePack,
  filesIn,
  type PackedAnswer,
  packOf,
  type ReadPack,
} from './pack/pack.ts'
export { checkPackSignature, signPack } from './pack/sign.ts'
export { type Service, type ServiceOptions, VENDOR_SERVICES } from './services.ts'
export {
  type CollateralSourceOptions,
  createCollateralSource,
  type ObtainedCollateral,
  obtainCollateral,
} from './source.ts'
