Scenario: An agent brings customer, colleague and somebody outside together
  They go one by one, and the customer stays with those who are left.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support
  And Bert serves Sales
  When Carla calls +49301000
  And Anna answers
  And Anna consults the agent Bert
  And Bert answers
  And Anna brings everybody together
  Then Carla hears Anna and Bert
  And Anna hears Carla and Bert
  And Bert hears Carla and Anna
  When Anna consults the number +49891234567
  Then Carla hears music
  And Bert hears music
  When +49891234567 answers
  And Anna brings everybody together
  And Anna lets Bert go
  Then Carla hears Anna and +49891234567
  And Bert is ready and idle
  When Anna hangs up
  Then Carla and +49891234567 hear each other
