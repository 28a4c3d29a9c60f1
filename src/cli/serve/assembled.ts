import { utf8 } from '../../core/bytes.ts'
import { createVerificationCache } from '../../core/context.ts'
import { fail, type Outcome } from '../../core/outcome.ts'
import { type CredentialKeySet, jwksOf } from '../../decision/credential/index.ts'
import { accountProof } from '../../gate/account-proof.ts'
import type { GateOptions } from '../../gate/core.ts'
import { Gate } from '../../gate/gate.ts'
import { createMetrics } from '../../gate/metrics.ts'
import { nodeRandom, nodeScheduler } from '../../gate/node-ports.ts'
import { credentialSigner } from '../../index.ts'
import {
  type AuditLog,
  type BrokerOptions,
  createAdministration,
  createAuditLog,
  createBroker,
  fileAnchor,
  leaseOwner,
  type RotatingVault,
} from '../../release/index.ts'
import { Administrators } from '../../service/administrators.ts'
import type { ServiceOptions } from '../../service/app.ts'
import { anchoredLog, entryProofs } from '../../service/audit-proofs.ts'
import type { ServiceKey } from '../../service/keys.ts'
import { errorLine, type Log } from '../../service/log.ts'
import { keysFrom } from '../audit/source.ts'
import { UsageError } from '../input.ts'
import { messageOf } from '../keys/opened.ts'
import type { ServiceClock } from './clock.ts'
import type { ServiceConfig } from './config.ts'
import { CurrentJudgedBy, readJudgedBy } from './judged-by.ts'
import { type Judging, judgingByFiles, judgingWithVendors } from './judging.ts'
import { openStores, openVault, type Stores } from './places.ts'
import { Refused } from './refused.ts'
import { readSalt, readSigningKey } from './secrets.ts'
import { openVendors, VENDOR_COUNTERS, type Vendors } from './vendors.ts'
import { AUDIT_COUNTERS, type WatchedAudit, watchedAudit } from './watched-audit.ts'

/** The parts of a service, wired; nothing listens and no timer runs yet. */
export interface Assembled {
  readonly options: Omit<ServiceOptions, 'clientOf'>
  readonly gate: Gate
  readonly stores: Stores
  readonly audit: AuditLog
  /** null where nobody is asked */
  readonly vendors: Vendors | null
  /** reads the collateral anew; what is older than what is used already is refused */
  readonly reread: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface Surroundings {
  readonly clock: ServiceClock
  readonly log: Log
  readonly version: string
}

/**
 * Opens everything a service works with, and proves it: file modes, the clock, the whole audit log.
 * @throws UsageError for what the operator can mend, Refused with AUDIT_* · CLOCK_* · RELEASE_* for what must not be served
 */
export async function assemble(config: ServiceConfig, { clock, log, version }: Surroundings): Promise<Assembled> {
  const administrators = administratorsOf(config)
  const key = await readSigningKey(config.signingKey)
  const salt = await readSalt(config.salt)
  const read = () => readJudgedBy(config.collateral, config.referenceValues)
  const judgedBy = new CurrentJudgedBy(await read(), read)
  const vault = await openVault(config.kek)
  const stores = await openStores(config.store)
  const onError = (error: unknown) => log(errorLine(error))
  const metrics = createMetrics({ ...AUDIT_COUNTERS, ...VENDOR_COUNTERS })
  let vendors: Vendors | null = null
  const close = async () => {
    // What failed in the background is told, and keeps nothing else from being closed.
    await vendors?.close().catch(onError)
    for (const part of [stores.release, stores.gate, vault]) await part.close()
  }
  try {
    if (config.vendors !== null) vendors = await openVendors(config.vendors, { clock: clock.now, log, metrics })
    const [faultOfClock, ...more] = clock.check((await stores.release.auditHead()).at)
    if (faultOfClock !== undefined) throw new Refused([faultOfClock, ...more])
    const anchor = fileAnchor(config.audit.anchor)
    const signer = { kid: key.kid, alg: key.algorithm, key: key.privateKey }
    const keys = await checkpointKeys(config, key)
    const opened = await createAuditLog({ store: stores.release, signer, keys, anchor, clock: clock.now })
    if (!opened.ok) throw new Refused(opened.faults)
    const watched = watchedAudit(opened.value, metrics, clock.now)
    const { audit } = watched
    const judging = judgingBy(vendors, stores, clock, onError)
    const gateOptions: GateOptions = {
      ...{ store: stores.gate, clock: clock.now, random: nodeRandom, scheduler: nodeScheduler, salt, onError },
      signer: credentialSigner({ ...signer, verifier: { developer: config.issuer, build: `vouchsafe ${version}` } }),
      collateral: async () => judgedBy.current.collateral,
      verifyProviderProof: accountProof,
      physical: () => 'unknown',
      referenceValues: judgedBy.current.referenceValues,
      injectedAnchors: [],
      cache: createVerificationCache(),
      verifierKeyId: key.kid,
      ...{ issuer: config.issuer, audience: config.audience, rules: config.marketplace, enforce: true },
    }
    const gate = new Gate(gateOptions, judging.judge)
    const keeping: BrokerOptions = {
      ...{ gate, vault, audit, clock: clock.now, random: nodeRandom, onError },
      ...{ challenges: stores.gate, store: stores.release },
      tenantOf: leaseOwner,
      collateralEpoch: judging.epochOf,
    }
    const options: Assembled['options'] = {
      ...{ gate, broker: createBroker(keeping), administration: createAdministration(keeping), store: stores.release },
      ...{ administrators, key, issuer: config.issuer, kbs: config.kbs, isTls: config.tls !== 'off', clock: clock.now },
      ...{ rateLimit: config.rateLimit, log, version },
      isReady: () => ready(stores, vault, () => anchoredLog(stores.release, anchor), watched, onError),
      metrics: metrics.text,
      proveEntry: entryProofs(stores.release, audit),
    }
    return { options, gate, stores, audit, vendors, reread: () => judgedBy.reread(), close }
  } catch (error) {
    await close()
    throw error
  }
}

function administratorsOf({ administrators }: ServiceConfig): Administrators {
  try {
    return new Administrators(administrators)
  } catch (error) {
    throw new UsageError(`configuration: administrators: ${messageOf(error)}`)
  }
}

/** The service's own key, and those that signed before it. */
async function checkpointKeys({ audit }: ServiceConfig, { kid, publicKey }: ServiceKey): Promise<CredentialKeySet> {
  const own = await jwksOf([{ kid, publicKey, retiredAt: null }], 0)
  const earlier = audit.earlierKeys === null ? [] : (await keysFrom(audit.earlierKeys)).keys
  if (earlier.some((other) => other.kid === kid))
    throw new UsageError(`configuration: audit.earlierKeys has the key ${kid} that signs now`)
  return { keys: [...own.keys, ...earlier] }
}

function judgingBy(
  vendors: Vendors | null,
  { release }: Stores,
  clock: ServiceClock,
  onError: (error: unknown) => void,
): Judging {
  if (vendors === null) return judgingByFiles()
  const sharedEpoch = async () => {
    try {
      return (await release.epochs()).collateral
    } catch (error) {
      onError(error)
      return 0
    }
  }
  return judgingWithVendors({ vendors, clock: clock.now, sharedEpoch, onError })
}

/** Store, vault and audit log, each used once; vendors are nobody's readiness. */
async function ready(
  { release }: Stores,
  vault: RotatingVault,
  anchored: () => Promise<Outcome<void>>,
  { checkpointed }: WatchedAudit,
  onError: (error: unknown) => void,
): Promise<Outcome<void>> {
  const mac = await vault.mac(vault.currentKek, utf8('ready'))
  if (!mac.ok) return mac
  try {
    await release.auditHead()
    const whole = await anchored()
    return whole.ok ? checkpointed() : whole
  } catch (error) {
    onError(error)
    return fail('RELEASE_AUDIT_UNAVAILABLE', 'store')
  }
}
