Scenario: Recording follows the customer from the answer on
  What is said before the answer is not recorded.

  Given a queue Support with the number +49301000
  And Support records from the answer
  And a queue Sales with the number +49302000
  And Sales records from the first wait
  And Anna serves Support
  When Carla calls +49301000
  Then Carla is not recorded
  When Anna answers
  Then Carla is recorded
  When Dora calls +49302000
  Then Dora is recorded
