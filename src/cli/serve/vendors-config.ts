import type { ServiceOptions } from '../../collateral/index.ts'
import { servicesOf } from '../../collateral/services.ts'
import { UsageError } from '../input.ts'
import { messageOf } from '../keys/opened.ts'
import type { From, Members } from './members.ts'

/** Whom the service asks for what evidence needs beyond `collateral`. Evidence never adds to it. */
export interface VendorsConfig {
  /** file of what was fetched, and of the newest that was ever used; on a local disk, a file of its own for each replica */
  readonly cache: string
  /** how long one judgement may wait for all that it needs */
  readonly waitSeconds: number
  readonly addresses: ServiceOptions
  /** PEM of authorities beside those that Node.js trusts; null for none */
  readonly authorities: string | null
}

/** Guests of the KBS protocol and the proxies before a service give up after about a minute. */
const LONGEST_WAIT_SECONDS = 60
const WHAT_TO_WRITE =
  'present: null, so that nobody is asked and collateral is all there is, or an object that says whom to ask (docs/service.md)'

type Addresses = Pick<ServiceOptions, 'services' | 'pccs'>

/** @throws UsageError with the place that is wrong */
export function vendorsOf(config: Members, from: From): VendorsConfig | null {
  config.value('vendors', WHAT_TO_WRITE)
  return config.objectOrNull('vendors', (m) => {
    const [amd, intel, nvidia] = [amdOf(m), intelOf(m), nvidiaOf(m)]
    const { pccs } = intel
    return {
      cache: from(m.text('cache')),
      waitSeconds: m.whole('waitSeconds', 1, LONGEST_WAIT_SECONDS),
      addresses: checked({
        services: { ...amd.services, ...intel.services, ...nvidia.services },
        ...(pccs === undefined ? {} : { pccs }),
        allowPlainHttp: m.texts('plainHttp'),
      }),
      authorities: m.value('authorities') === null ? null : from(m.text('authorities')),
    }
  })
}

function checked(addresses: ServiceOptions): ServiceOptions {
  try {
    servicesOf(addresses)
    return addresses
  } catch (error) {
    throw new UsageError(`configuration: vendors: ${messageOf(error)}`)
  }
}

/** @param mirror what stands in the place of `vendor` */
function isVendors(config: Members, name: string, mirror: string): boolean {
  const member = config.value(name)
  if (typeof member !== 'string') return false
  if (member === 'vendor') return true
  throw new UsageError(`configuration: vendors.${name} should be "vendor" or ${mirror}`)
}

const amdOf = (config: Members): Addresses =>
  isVendors(config, 'amd', '{ "kds": URL }')
    ? {}
    : config.object('amd', (m) => ({ services: { 'amd-kds': m.text('kds') } }))

function intelOf(config: Members): Addresses {
  if (isVendors(config, 'intel', '{ "pccs": URL } or { "pcs": URL, "certificates": URL }')) return {}
  return config.object('intel', (m) =>
    m.has('pccs')
      ? { pccs: m.text('pccs') }
      : { services: { 'intel-pcs': m.text('pcs'), 'intel-certificates': m.text('certificates') } },
  )
}

const nvidiaOf = (config: Members): Addresses =>
  isVendors(config, 'nvidia', '{ "rim": URL, "ocsp": URL }')
    ? {}
    : config.object('nvidia', (m) => ({ services: { 'nvidia-rim': m.text('rim'), 'nvidia-ocsp': m.text('ocsp') } }))
