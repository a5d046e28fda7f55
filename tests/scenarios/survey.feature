Scenario: A customer is asked how the talk was
  Carla is asked for a score as soon as Anna has hung up; Anna is free meanwhile and has nothing to do with it. Dora hangs up
  first and is not asked.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And a flow Survey reached by the number +49303000
  And the flow Survey asks to rate satisfaction with the words "How satisfied are you, from 1 to 5?"
  And Support sends customers to the flow Survey when the agent has hung up
  When Carla calls +49301000
  And Anna answers
  And Anna hangs up
  Then Carla hears the text "How satisfied are you, from 1 to 5?"
  And Anna is ready and idle
  When Carla presses 4
  Then Anna is rated in satisfaction with 4 of 5
  And Carla hears the text "Thank you."
  When Carla hangs up
  Then Carla has left
  When Dora calls +49301000
  And Anna answers
  And Dora hangs up
  Then Dora has left
