/** Where a kind of object is asked for. */
export type Service =
  | 'amd-kds'
  | 'intel-pcs'
  | 'intel-certificates'
  | 'nvidia-rim'
  | 'nvidia-ocsp'
  | 'azure-maa'
  | 'intel-ita'
  | 'google-confidential-space'
  | 'nvidia-nras'

/** The vendors' own addresses. Evidence never adds to them. */
export const VENDOR_SERVICES: Readonly<Record<Service, string>> = {
  'amd-kds': 'https://kdsintf.amd.com',
  'intel-pcs': 'https://api.trustedservices.intel.com',
  'intel-certificates': 'https://certificates.trustedservices.intel.com',
  'nvidia-rim': 'https://rim.attestation.nvidia.com',
  'nvidia-ocsp': 'https://ocsp.ndis.nvidia.com',
  'azure-maa': 'https://sharedeus2.eus2.attest.azure.net',
  'intel-ita': 'https://portal.trustauthority.intel.com',
  'google-confidential-space': 'https://www.googleapis.com',
  'nvidia-nras': 'https://nras.attestation.nvidia.com',
}

export interface ServiceOptions {
  /** addresses in place of the vendors', e.g. of a mirror; a path in them stands before the vendor's */
  readonly services?: Partial<Readonly<Record<Service, string>>>
  /** address of a PCCS, which is then asked for everything of Intel's, its root list included */
  readonly pccs?: string
  /** origins that may be asked without TLS, each named in full: `http://mirror.local:8080` */
  readonly allowPlainHttp?: readonly string[]
}

/** The operator's addresses, checked once. */
export interface Services {
  readonly usesPccs: boolean
  /** the address of an object below its service */
  urlOf(service: Service, path: string): string
}

/**
 * The table of addresses that a client asks.
 * @throws TypeError for an address that is not HTTPS and not allowed by name, or has a user, a query or a fragment
 */
export function servicesOf({ services = {}, pccs, allowPlainHttp = [] }: ServiceOptions): Services {
  const bases = new Map<Service, URL>()
  for (const [service, vendors] of Object.entries(VENDOR_SERVICES) as [Service, string][]) {
    const intels = service === 'intel-pcs' || service === 'intel-certificates'
    const configured = services[service] ?? (intels && pccs !== undefined ? pccs : vendors)
    bases.set(service, checkedBase(configured, service, allowPlainHttp))
  }
  const unknown = Object.keys(services).find((name) => !Object.hasOwn(VENDOR_SERVICES, name))
  if (unknown !== undefined) throw new TypeError(`there is no service ${unknown}`)
  return {
    usesPccs: pccs !== undefined,
    urlOf: (service, path) => {
      const base = bases.get(service)
      if (base === undefined) throw new TypeError(`there is no service ${service}`)
      return new URL(`${base.pathname.replace(/\/$/, '')}${path}`, base).href
    },
  }
}

function checkedBase(text: string, service: Service, allowPlainHttp: readonly string[]): URL {
  const wrong = (what: string): never => {
    throw new TypeError(`the address of ${service} ${what}`)
  }
  if (!URL.canParse(text)) return wrong('is no URL')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') wrong('must not carry a user or password')
  if (url.search !== '' || url.hash !== '') wrong('must not carry a query or a fragment')
  const isPlainByName = url.protocol === 'http:' && allowPlainHttp.includes(url.origin)
  if (url.protocol !== 'https:' && !isPlainByName) wrong('is not HTTPS and not among those allowed without it')
  return url
}
