Scenario: An agent has as many chats as fit, and the next one waits for one of them
  Whoever has fewest is asked first. Nobody has to leave a chat for another one.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Anna serves Support and Sales
  And Anna answers 2 chats at once
  When Carla writes a chat to Support
  Then the chat of Carla is offered to Anna
  When Anna takes the chat of Carla
  And Dora writes a chat to Support
  And Anna takes the chat of Dora
  And Emil writes a chat to Support
  Then the chat of Emil waits in Support
  And Anna cannot take the chat of Emil
  When Anna closes the chat of Carla
  Then the chat of Carla is over
  And the chat of Emil is offered to Anna
  When Emil leaves the chat
  Then the chat of Emil is over
  When Bert serves Sales
  And Bert answers 1 chats at once
  And Anna moves the chat of Dora to Sales
  Then the chat of Dora is offered to Anna
  When 60 seconds pass
  Then Anna is not ready because of no_answer
  And the chat of Dora is offered to Bert
  When Bert takes the chat of Dora
  Then the chat of Dora is with Bert
