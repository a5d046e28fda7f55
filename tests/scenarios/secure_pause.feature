Scenario: What must not be recorded is left out, and nobody can forget to go on
  A secure pause ends by itself; any other when somebody wants that.

  Given a queue Support with the number +49301000
  And Support records from the answer
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  Then Carla is recorded
  When Anna pauses the recording securely
  Then Carla is not recorded
  When 180 seconds pass
  Then Carla is recorded
  When Anna pauses the recording
  And 3600 seconds pass
  Then Carla is not recorded
  When Anna resumes the recording
  Then Carla is recorded
