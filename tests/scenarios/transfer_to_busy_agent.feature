Scenario: A transfer to an agent who is not free is refused, and nobody is lost
  The customer stays where the customer is.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And Bert serves Support
  When Carla calls +49301000
  And Anna answers
  And Bert takes a break for lunch
  Then Anna cannot transfer to the agent Bert
  And Carla and Anna hear each other
