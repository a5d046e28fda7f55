Scenario: A supervisor listens, whispers and barges in, in any order
  The customer never hears a whisper, and nobody hears who listens.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support
  And Dora serves Sales
  And Bert serves Sales
  And Dora may supervise
  When Carla calls +49301000
  And Anna answers
  Then Bert cannot listen to Anna
  When Dora listens to Anna
  Then Dora's telephone rings
  And Carla and Anna hear each other
  When Dora answers
  Then Dora hears Carla and Anna
  And Carla hears only Anna
  And Anna hears only Carla
  When Dora barges in
  Then Carla hears Anna and Dora
  When Dora whispers
  Then Anna hears Carla and Dora
  And Carla hears only Anna
  When Anna holds
  Then Carla hears music
  And Anna hears only Dora
  When Dora only listens again
  Then Anna hears nothing
  And Dora hears only Anna
  When Anna takes the customer back
  And Dora stops supervising
  Then Carla and Anna hear each other
  And Dora is ready and idle
