/** Where key-encryption keys are kept: in a file, or in a PKCS#11 token. */
export { fileVault } from './file-vault.ts'
export { createKekFile } from './kek-file.ts'
export { createTokenKek, type Pkcs11Options, pkcs11Vault } from './pkcs11-vault.ts'
