import type { SgxAttributesRule, SgxRule } from './policy.ts'
import { dcapMembers, digestList, weakening } from './rules-dcap.ts'
import { ALWAYS, object } from './shape.ts'
import { allowList, always, atLeast, integer } from './values.ts'

const attributes = object<SgxAttributesRule>({
  debug: weakening('DEBUG: the host may read the enclave. `allowed` needs "profile": "development".'),
  provisionKey: weakening('PROVISION_KEY: the enclave may ask for the key that identifies the platform.'),
  einitTokenKey: weakening('EINITTOKEN_KEY: the enclave may decide which enclaves are launched.'),
})

/** Rules for one Intel SGX quote. What is left out is refused as far as a machine in order can do without it. */
export const sgxRule = object<SgxRule>({
  platform: { description: 'The kind of evidence.', shape: always('intel/sgx'), absent: ALWAYS },
  ...dcapMembers,
  attributes: {
    description: 'ATTRIBUTES of the enclave.',
    shape: attributes,
    absent: { debug: 'forbidden', provisionKey: 'forbidden', einitTokenKey: 'forbidden' },
  },
  mrEnclave: digestList(
    'MRENCLAVE values, 64 hexadecimal digits each: exactly these enclaves. Left out, mrSigner or signed reference values must say what runs.',
    32,
  ),
  mrSigner: digestList(
    'MRSIGNER values, 64 hexadecimal digits each. A signer alone admits everything it ever signed: name isvProdId and minIsvSvn too.',
    32,
  ),
  isvProdId: {
    description: 'ISVPRODID: products of the signer.',
    shape: allowList(integer(0, 0xffff)),
    absent: 'any',
  },
  minIsvSvn: { description: 'Lowest ISVSVN.', shape: atLeast(0, 0xffff), absent: 0 },
  configId: digestList('CONFIGID values, 128 hexadecimal digits each; an enclave without KSS has none.', 64),
})
