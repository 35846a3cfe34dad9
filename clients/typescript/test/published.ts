import { FlashbackClient } from '@flashback/client';
const client = new FlashbackClient({ accessToken: 'your-access-token' });
const result = await client.settings.organization.update({
  settings: { defaultStorageType: 'S3', maxFileSize: '10GB', retentionPolicy: { enabled: true, days: 365 }, security: { requireMFA: true, sessionTimeout: 3600 } }
});
