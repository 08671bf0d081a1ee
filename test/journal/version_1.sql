-- The rows of a journal of schema version 1, as the release before signed receipts wrote them:
-- six diaries, a publication, and other bytes under a known id.
INSERT INTO meta(name,value)
  VALUES('chain_id',x'01a20a80a5f175eaa1d0d1a6f135d725');
INSERT INTO meta(name,value)
  VALUES('indexed_to',6);
INSERT INTO contexts(id,digest,encoding)
  VALUES(1,-1453531914393871755,x'0101010001000000000000000300010000000a4556454e494e472d30310000000d6576656e696e672d6469617279000000013300000006736974652d3700000005322e342e310000001268747470733a2f2f69642e6578616d706c65000000026b3100000005485332353600000000000000000000000764656661756c74');
INSERT INTO groups(number,first_position,diaries,count,committed_at,link)
  VALUES(1,1,3,4,1795472532981,x'3fcf6525d5bcc0d7207a87befefe8d9533b2ced5e64ea2a587c91b9571a0f6a7');
INSERT INTO groups(number,first_position,diaries,count,committed_at,link)
  VALUES(2,4,3,4,1795472532985,x'83abfa1721e922fd2541afb68de0ae1d50d16338c26bad930931a6dbbf41f0b7');
INSERT INTO groups(number,first_position,diaries,count,committed_at,link)
  VALUES(3,7,0,1,1795472533010,x'a9be241197992c55136cc0fdf688af0e3c19196c931b517318a6c4cc19dd866c');
INSERT INTO diaries(position,format,commit_group,context,disposition,held_reason,flags,received_at,submission_id,delivery_id,salt,content_hash,subject_id,authored,jti,caller_subject,amends,source)
  VALUES(1,1,1,1,1,0,0,1763640845123,x'019aa12fa3447cef8c06fcf17343da8b',x'a170b389e54d5a51930a20970a046af1',x'872fc0af9179c1424abca7d025af59ec',x'5b3a12719aba946366c7443023c674d3f799b90dc516bfeb8a8f382108d49eba','S-000123','2026-11-20T20:14:05+08:00','jti-1',NULL,NULL,x'7b22616e7377657273223a7b227061696e2d6e7273223a317d7d');
INSERT INTO diaries(position,format,commit_group,context,disposition,held_reason,flags,received_at,submission_id,delivery_id,salt,content_hash,subject_id,authored,jti,caller_subject,amends,source)
  VALUES(2,1,1,1,1,0,0,1763640845123,x'019aa12fa3457ec08382a8004dd2013e',x'3df90a06d90a56b2ace749cc964c0cb4',x'd113440e1c7ea7a934b700e17573bc3b',x'94a3ad085e90d8de8ac447563a32ff1a215a6b6daa9eeda61cc9156c4548d045','S-000123','2026-11-20T20:14:05+08:00','jti-2',NULL,NULL,x'7b22616e7377657273223a7b227061696e2d6e7273223a327d7d');
INSERT INTO diaries(position,format,commit_group,context,disposition,held_reason,flags,received_at,submission_id,delivery_id,salt,content_hash,subject_id,authored,jti,caller_subject,amends,source)
  VALUES(3,1,1,1,1,0,0,1763640845123,x'019aa12fa3467f8c9dc05c6528651bb1',x'575e81bf4d4c5b0db77eeafe8eaa0b8b',x'fa616979eff710720ba87dfc0ba1231a',x'd2def70c1d98852d651995a70b9ec8093e9451aa3465bb6c956208d0b23a7e97','S-000123','2026-11-20T20:14:05+08:00','jti-3',NULL,NULL,x'7b22616e7377657273223a7b227061696e2d6e7273223a337d7d');
INSERT INTO diaries(position,format,commit_group,context,disposition,held_reason,flags,received_at,submission_id,delivery_id,salt,content_hash,subject_id,authored,jti,caller_subject,amends,source)
  VALUES(4,1,2,1,1,0,0,1763640845123,x'019aa12fa34772f1ab8cb055921f4c2e',x'6cd2c9b55dcc5998ba7b5d5c13fc9962',x'0986db7aae6c1b1891a5459de0883a8d',x'5acc8d7a0c0989814a12bb04849c8d6e84c3909e300158d57f5a404f0b009d3d','S-000123','2026-11-20T20:14:05+08:00','jti-4',NULL,NULL,x'7b22616e7377657273223a7b227061696e2d6e7273223a347d7d');
INSERT INTO diaries(position,format,commit_group,context,disposition,held_reason,flags,received_at,submission_id,delivery_id,salt,content_hash,subject_id,authored,jti,caller_subject,amends,source)
  VALUES(5,1,2,1,1,0,0,1763640845123,x'019aa12fa3487d81bd29b10fa4b78619',x'ac49f4795ab8599296350752168592cc',x'789c8da9c8c8177203567975824e92f2',x'f6dcc3a20955fc3811be311a40957e77a5adc7df44fcad1d1b9d1d2d416c0895','S-000123','2026-11-20T20:14:05+08:00','jti-5',NULL,NULL,x'7b22616e7377657273223a7b227061696e2d6e7273223a357d7d');
INSERT INTO diaries(position,format,commit_group,context,disposition,held_reason,flags,received_at,submission_id,delivery_id,salt,content_hash,subject_id,authored,jti,caller_subject,amends,source)
  VALUES(6,1,2,1,1,0,0,1763640845123,x'019aa12fa349785b97c9e5bc95e4fcd8',x'237cc3c91388566dbd7acdb12af5d9ef',x'0c49419c924d99dfdafb67c6f225ac75',x'8fcdc545299b98186c45dbad721750003b3435fd3e0f138ec2514bf4e619a3d8','S-000123','2026-11-20T20:14:05+08:00','jti-6',NULL,NULL,x'7b22616e7377657273223a7b227061696e2d6e7273223a367d7d');
INSERT INTO keys(key,position)
  VALUES(x'019aa12fa3447cefa170b389e54d5a51930a20970a046af1',1);
INSERT INTO keys(key,position)
  VALUES(x'019aa12fa3457ec03df90a06d90a56b2ace749cc964c0cb4',2);
INSERT INTO keys(key,position)
  VALUES(x'019aa12fa3467f8c575e81bf4d4c5b0db77eeafe8eaa0b8b',3);
INSERT INTO keys(key,position)
  VALUES(x'019aa12fa34772f16cd2c9b55dcc5998ba7b5d5c13fc9962',4);
INSERT INTO keys(key,position)
  VALUES(x'019aa12fa3487d81ac49f4795ab8599296350752168592cc',5);
INSERT INTO keys(key,position)
  VALUES(x'019aa12fa349785b237cc3c91388566dbd7acdb12af5d9ef',6);
INSERT INTO conflicts(id,position,received_at,content_hash,jti,caller_subject,context,source)
  VALUES(1,2,1763640845123,x'44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a','jti-2','S-000123',x'0101010001000000000000000300010000000a4556454e494e472d30310000000d6576656e696e672d6469617279000000013300000006736974652d3700000005322e342e310000001268747470733a2f2f69642e6578616d706c65000000026b3100000005485332353600000000000000000000000764656661756c74',x'7b7d');
INSERT INTO audit(id,format,commit_group,at,action,actor,target,reason,attachment,salt)
  VALUES(1,1,1,1795472532981,'test','local','target','reason',x'0000000000000000000000000000000000000000000000000000000000000000',x'4b6a000bf2fe1862d6911aab9e8f05ce');
INSERT INTO audit(id,format,commit_group,at,action,actor,target,reason,attachment,salt)
  VALUES(2,1,2,1795472532985,'test','local','target','reason',x'0000000000000000000000000000000000000000000000000000000000000000',x'4342bd6949b45dad02c084552d21f24d');
INSERT INTO audit(id,format,commit_group,at,action,actor,target,reason,attachment,salt)
  VALUES(3,1,3,1795472533010,'trial.publish','local','T#1','first',x'8f5be4b34b833871908cfec6f9dbdcf792d1dcb435baf5e2580fb0829997a71f',x'f5996dfb6a4fff9510272ea589c5837d');
INSERT INTO trials(id,trial_id,revision,document,published_by,reason,published_at)
  VALUES(1,'T',1,'{"id":"T"}','local','first',1795472533010);
INSERT INTO destinations(id,name,paused,owed,blocked,parked,delivered)
  VALUES(1,'default',0,6,0,0,0);
INSERT INTO owed(destination,position,lane,delivery_id,committed_at,attempts)
  VALUES(1,1,-7639241963294774098,x'a170b389e54d5a51930a20970a046af1',1795472532981,0);
INSERT INTO owed(destination,position,lane,delivery_id,committed_at,attempts)
  VALUES(1,2,-7639241963294774098,x'3df90a06d90a56b2ace749cc964c0cb4',1795472532981,0);
INSERT INTO owed(destination,position,lane,delivery_id,committed_at,attempts)
  VALUES(1,3,-7639241963294774098,x'575e81bf4d4c5b0db77eeafe8eaa0b8b',1795472532981,0);
INSERT INTO owed(destination,position,lane,delivery_id,committed_at,attempts)
  VALUES(1,4,-7639241963294774098,x'6cd2c9b55dcc5998ba7b5d5c13fc9962',1795472532985,0);
INSERT INTO owed(destination,position,lane,delivery_id,committed_at,attempts)
  VALUES(1,5,-7639241963294774098,x'ac49f4795ab8599296350752168592cc',1795472532985,0);
INSERT INTO owed(destination,position,lane,delivery_id,committed_at,attempts)
  VALUES(1,6,-7639241963294774098,x'237cc3c91388566dbd7acdb12af5d9ef',1795472532985,0);
