Scenario: Everybody rings at once and the first takes the call
  The others stop ringing and are not blamed.

  Given a queue Support with the number +49301000
  And Support rings everybody at once
  And Anna serves Support
  And Bert serves Support
  When Carla calls +49301000
  Then Anna's telephone rings
  And Bert's telephone rings
  When Bert answers
  Then Carla and Bert hear each other
  And Anna's telephone does not ring
  And Anna is ready and idle
