import type { ServiceAddress } from '../../agent/exchange.ts'
import { fetchKbs } from '../../agent/kbs.ts'
import type { Sources } from '../../agent/sources.ts'
import { fail } from '../../core/outcome.ts'
import type { KekSource } from '../../ocicrypt/provider.ts'

/** `kbs://[host]/tenant/type/tag`; the host in an image's annotation is somebody else's word and chooses no service. */
const KEY_ID = /^kbs:\/\/[^/]*\/([^/]+\/[^/]+\/[^/]+)$/

/** Keys of images from the service, for this machine's evidence. */
export const kbsKeks =
  (service: ServiceAddress, { collectors }: Sources): KekSource =>
  async (keyId) => {
    const resource = KEY_ID.exec(keyId)?.[1]
    return resource === undefined
      ? fail('OCICRYPT_KEY_UNKNOWN', 'key', { expected: 'kbs:///tenant/type/tag', actual: keyId })
      : fetchKbs({ service, resource, collectors })
  }
